"""Measure a GRPO step: TRL's own trainer and this repository's, in turn, on the same questions.

    python performance/grpo_step.py             the settings of params.yaml on models/base (the `laptop` profile)
    python performance/grpo_step.py --size 7b   a model of Qwen2.5-VL-7B's shape with random weights in NF4, for one GPU

Prints the time of a step and of its parts, memory, and the ratio to a lower bound, and writes them to
performance/results/. On a GPU, timing synchronises between two parts, which costs both trainers a little.
"""

import argparse
import dataclasses
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from common import MEGABYTES, RESULTS, machine
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOTrainer

from robotr1 import paths
from robotr1.policies.adapters import lora_config
from robotr1.policies.load import language_core, load_model
from robotr1.policies.processor import load_processor
from robotr1.records import Question, read_records
from robotr1.settings import TrainGrpo, load_settings
from robotr1.training.grpo.algorithms import TRAINERS
from robotr1.training.grpo.config import rl_config
from robotr1.training.grpo.inputs import question_dataset
from robotr1.training.grpo.rollout import generate as rollout
from robotr1.training.grpo.trainer import image_cache, speed_up
from robotr1.training.memory import torch_threads
from robotr1.training.rewards import REWARDS

PARTS = ("image encoding", "prefill", "decode", "log-probabilities", "backward", "optimiser", "rest")
MINUTES = 8  # no new step starts after this


class Clock:
    """Seconds of each part, without those of other parts inside it."""

    def __init__(self):
        self.seconds, self.open = defaultdict(float), []

    def now(self) -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started, inside = self.now(), len(self.open)
        self.open.append([name, 0.0])
        try:
            yield
        finally:
            seconds = self.now() - started
            _, others = self.open.pop()
            self.seconds[name] += seconds - others
            if inside:
                self.open[-1][1] += seconds

    def watch(self, owner: object, method: str, name: str, when: Callable[..., bool] = lambda *a, **k: True) -> None:
        """Count calls of `owner.method` as part `name`."""
        inner = getattr(owner, method)

        def timed(*args, **kwargs):
            with self.part(name) if when(*args, **kwargs) else nullcontext():
                return inner(*args, **kwargs)

        setattr(owner, method, timed)

    def take(self) -> dict[str, float]:
        seconds, self.seconds = dict(self.seconds), defaultdict(float)
        return seconds


class Turns(TrainerCallback):
    """Let several trainers, each in its own thread, take steps in turn, and time the steps."""

    def __init__(self, name: str, baton: dict, clock: Clock, trainer: GRPOTrainer):
        self.name, self.baton, self.clock, self.trainer, self.steps = name, baton, clock, trainer, []

    def on_step_begin(self, args, state, control, **kwargs):
        with self.baton["turn"]:
            self.baton["turn"].wait_for(lambda: self.baton["order"][0] == self.name)
        torch.manual_seed(state.global_step)
        self.clock.take()
        self.started, self.cpu = self.clock.now(), time.process_time()

    def on_step_end(self, args, state, control, **kwargs):
        seconds, parts = self.clock.now() - self.started, self.clock.take()
        parts["rest"] = seconds - sum(parts.values())
        cpu = time.process_time() - self.cpu  # of all threads; the other trainers are waiting
        self.steps.append({"seconds": seconds, "cpu_seconds": cpu, "parts": parts, **self.trainer.work})
        control.should_training_stop |= time.perf_counter() - self.baton["began"] > 60 * MINUTES
        pass_on(self.baton)


def pass_on(baton: dict, leaving: str = "") -> None:
    with baton["turn"]:
        baton["order"].append(baton["order"].pop(0))
        baton["order"] = [name for name in baton["order"] if name != leaving] or [""]
        baton["turn"].notify_all()


def watched(trainer: GRPOTrainer) -> Clock:
    """Time the parts of a trainer's step; `trainer.work` counts the step's tokens."""
    clock, core = Clock(), language_core(trainer.model)
    clock.watch(core.visual, "forward", "image encoding")
    clock.watch(trainer, "_generate_single_turn", "decode")

    def reads_prompts(*args, **kwargs) -> bool:
        return any(name == "decode" for name, _ in clock.open) and kwargs["inputs_embeds"].shape[1] > 1

    clock.watch(core.language_model, "forward", "prefill", reads_prompts)
    clock.watch(trainer, "_get_per_token_logps_and_entropies", "log-probabilities")
    clock.watch(trainer.accelerator, "backward", "backward")
    create = trainer.create_optimizer

    def create_optimizer(*args, **kwargs):
        optimizer = create(*args, **kwargs)
        clock.watch(optimizer, "step", "optimiser")
        return optimizer

    generate = trainer._generate_and_score_completions

    def counted(inputs):
        batch = generate(inputs)
        groups = batch["advantages"].view(-1, trainer.num_generations)
        trained = (groups != 0).any(dim=1).repeat_interleave(trainer.num_generations)
        prompts, completions = batch["prompt_mask"].sum(1), batch["completion_mask"].sum(1)
        first = torch.arange(0, len(prompts), trainer.num_generations)
        trainer.work = {
            "completions": len(prompts),
            "completion_tokens": int(completions.sum()),
            "longest": int(completions.max()),
            "prompt_tokens": int(prompts[first].sum()),
            "trained_prompt_tokens": int((prompts * trained)[first].sum()),
            "trained_completion_tokens": int((completions * trained).sum()),
            "zero_std": 1 - trained.float().mean().item(),
        }
        return batch

    trainer.create_optimizer, trainer._generate_and_score_completions = create_optimizer, counted
    return clock


def alternating(completions: list, **columns) -> list[float]:
    """A reward without zero-std groups, for random weights."""
    return [float(i % 2) for i in range(len(completions))]


def make(settings: TrainGrpo, questions: list[Question], base: Path, variant: dict, setup: Callable | None, rewards):
    """(trainer, image cache): TRL's own GRPOTrainer for `{"trl": True}`, else ours with `variant` in its settings."""
    plain = "trl" in variant
    settings = settings if plain else dataclasses.replace(settings, **variant)
    trainer = (GRPOTrainer if plain else TRAINERS["grpo"])(
        model=setup() if setup else load_model(base, quantization=settings.quantization),
        reward_funcs=list(rewards),
        args=rl_config(settings, "benchmark"),
        train_dataset=question_dataset("mcqa", questions),
        processing_class=load_processor(base),
        peft_config=lora_config(settings.lora_rank, settings.lora_alpha),
    )
    trainer.remove_callback(PrinterCallback)
    if not plain:
        speed_up(trainer, settings)
    return trainer, nullcontext() if plain or "image_cache" not in settings.speedups else image_cache(trainer)


def measure(
    settings, questions, base, variants: dict[str, dict], setup=None, rewards=REWARDS["mcqa"], prepare=None
) -> dict:
    """Steps of each variant, in turn; the first of each is left out (warm-up)."""
    baton = {"turn": threading.Condition(), "order": list(variants), "began": time.perf_counter()}
    turns, threads, failed = {}, [], {}
    for name, variant in variants.items():
        trainer, cache = make(settings, questions, base, variant, setup, rewards)
        if prepare:
            prepare(trainer)
        turns[name] = Turns(name, baton, watched(trainer), trainer)
        trainer.add_callback(turns[name])

        def work(name=name, trainer=trainer, cache=cache):
            try:
                torch.set_num_threads(settings.threads)  # each thread has its own count
                with cache:
                    trainer.train()
            except Exception as error:  # one variant's failure must not lose the others' numbers
                failed[name] = repr(error)
                traceback.print_exc()
            pass_on(baton, leaving=name)

        threads.append(threading.Thread(target=work))
    inner = rollout.prefill
    rollout.prefill = lambda *args: timed_prefill(turns, inner, *args)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        rollout.prefill = inner
    return {"steps": {name: turn.steps[1:] for name, turn in turns.items()}, "failed": failed}


def timed_prefill(turns: dict[str, Turns], inner: Callable, decoder, *args):
    clocks = {id(language_core(turn.trainer.model).language_model): turn.clock for turn in turns.values()}
    with clocks[id(decoder.text)].part("prefill"):
        return inner(decoder, *args)


def best_rate(work: Callable[[], object], amount: float, seconds: float = 1.0) -> float:
    """`amount` per second at the fastest of several calls."""
    clock, best, until = Clock(), float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = clock.now()
        work()
        best = min(best, clock.now() - started)
    return amount / best


def floor(model: torch.nn.Module, steps: list[dict], quantization: str) -> dict[str, float]:
    """A lower bound of a step on this machine, in seconds.

    Products run at the measured rate, weights are read once per decoding step at the measured bandwidth, nothing is
    computed twice. Attention, norms, sampling and images are not counted.
    """
    text, head = language_core(model).language_model.config, model.get_output_embeddings().weight
    keys = text.hidden_size * text.num_key_value_heads // text.num_attention_heads
    layer = text.hidden_size * (2 * text.hidden_size + 2 * keys + 3 * text.intermediate_size)
    linear = layer * text.num_hidden_layers
    stored = linear * (0.516 if quantization == "nf4" else head.itemsize) + head.nbytes
    side = torch.randn(2048, 2048, dtype=head.dtype, device=head.device)
    rate = best_rate(lambda: side @ side, 2 * 2048**3)
    block = torch.randn(int(stored) // head.itemsize, dtype=head.dtype, device=head.device)
    bandwidth = best_rate(block.sum, block.nbytes)
    mean = {key: statistics.mean(step[key] for step in steps) for key in steps[0] if key != "parts"}
    score = 2 * mean["trained_completion_tokens"] * head.numel()
    learn = (2 * linear * (mean["trained_prompt_tokens"] + mean["trained_completion_tokens"]) + score) / rate
    return {
        "gflop_s": rate / 1e9,
        "gb_s": bandwidth / 1e9,
        "weights_mb": stored / 1e6,
        "prefill": 2 * linear * mean["prompt_tokens"] / rate,
        "decode": max(
            mean["longest"] * stored / bandwidth, 2 * (linear + head.numel()) * mean["completion_tokens"] / rate
        ),
        "log-probabilities": learn,
        "backward": learn,
    }


def peak_memory(arguments: list[str]) -> dict[str, float]:
    """Peak megabytes of two steps, each trainer in its own process."""
    peaks = {}
    for name in ("trl", "ours"):
        command = [sys.executable, __file__, "--alone", name, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            peaks[name] = float(done.stdout.split()[-1])
    return peaks


def own_peak() -> float:
    """This process's peak megabytes: of the GPU's memory, or of the machine's."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss starts at the parent's size
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTES


def table(result: dict) -> str:
    """The measurement in markdown: medians, with the smallest and largest step in brackets."""
    columns = {name: steps for name, steps in result["steps"].items() if steps}
    seconds = {name: [step["seconds"] for step in steps] for name, steps in columns.items()}
    median = {name: statistics.median(values) for name, values in seconds.items()}

    def row(title: str, cell: Callable[[str], str]) -> str:
        return f"| {title} | " + " | ".join(cell(name) for name in columns) + " |"

    lines = [
        row("", str),
        row("---", lambda name: "---:"),
        row("seconds a step", lambda n: f"{median[n]:.2f} [{min(seconds[n]):.2f}, {max(seconds[n]):.2f}]"),
        row("CPU seconds a step", lambda n: f"{statistics.median(s['cpu_seconds'] for s in columns[n]):.2f}"),
        row(
            "completion tokens a second",
            lambda n: f"{sum(s['completion_tokens'] for s in columns[n]) / sum(seconds[n]):.0f}",
        ),
        row("peak memory (MB)", lambda n: f"{result['memory_mb'][n]:.0f}" if n in result["memory_mb"] else "–"),
    ]
    for part in PARTS:
        lines.append(row(part, lambda n: f"{statistics.mean(s['parts'].get(part, 0) for s in columns[n]):.3f}"))  # noqa: B023
    for name in [name for name in columns if name != "trl" and "trl" in columns]:
        for what in ("seconds", "cpu_seconds"):
            pairs = [a[what] / b[what] for a, b in zip(columns["trl"], columns[name])]
            spread = f"pairs of steps {min(pairs):.1f} to {max(pairs):.1f}, n = {len(pairs)}"
            title = "as fast as TRL" if what == "seconds" else "less CPU time"
            lines.append(f"\n{name}: {statistics.median(pairs):.1f} times {title} ({spread})")
    if "floor" in result:
        parts = ("prefill", "decode", "log-probabilities", "backward")
        lowest = sum(result["floor"][part] for part in parts)
        shares = ", ".join(f"{part} {result['floor'][part]:.3f}" for part in parts)
        away = ", ".join(f"{name} {median[name] / lowest:.1f}" for name in columns)
        lines.append(f"\nfloor {lowest:.3f} s ({shares}); times the floor: {away}")
    return "\n".join(lines + [f"\n{name} failed: {error}" for name, error in result["failed"].items()])


def workload(size: str, steps: int) -> tuple:
    """(settings, questions, base, variants, model builder, rewards) of `--size`."""
    settings = dataclasses.replace(
        load_settings()["train_grpo"], steps=steps + 1, save_steps=steps + 2, algorithm="grpo"
    )
    questions = read_records(paths.QUESTIONS / "train.jsonl", Question)
    base = paths.MODELS / "base"
    if size == "laptop":
        return settings, questions, base, {"trl": {"trl": True}, "ours": {}}, None, REWARDS["mcqa"]
    from random_qwen import questions_for, random_nf4

    changes = {"quantization": "nf4", "micro_batch": 20, "gradient_checkpointing": True, "max_completion_length": 128}
    if size == "small":  # the same path on a machine without GPU
        changes |= {"prompts_per_step": 2, "micro_batch": 5, "max_completion_length": 8}
    settings = dataclasses.replace(settings, **changes)
    graph = {"speedups": [*settings.speedups, "cuda_graph"]} if torch.cuda.is_available() else {}
    variants = {"trl": {"trl": True}, "ours": {}, "ours, NF4 layers as stored": {"dense_rollout": False}}
    variants |= {"ours, CUDA graph": graph} if graph else {}
    folder, asked = questions_for(Path(tempfile.mkdtemp(prefix="robotr1-benchmark-")), settings.prompts_per_step)
    return settings, asked, folder, variants, lambda: random_nf4(folder, size), [alternating, alternating]


def run_alone(name: str, size: str) -> None:
    """Run two steps of one trainer and print its peak memory in MB."""
    settings, questions, base, variants, setup, rewards = workload(size, 1)
    with torch_threads(settings.threads):
        measure(settings, questions, base, {name: variants[name]}, setup, rewards)
    print(own_peak())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("laptop", "small", "7b"), default="laptop")
    parser.add_argument("--steps", type=int, default=6, help="measured steps of each trainer")
    parser.add_argument("--threads", type=int, help="instead of the settings' own")
    parser.add_argument("--alone", choices=("trl", "ours"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    paths.CHECKPOINTS = Path(tempfile.mkdtemp(prefix="robotr1-benchmark-"))
    if options.alone:
        return run_alone(options.alone, options.size)
    settings, questions, base, variants, setup, rewards = workload(options.size, options.steps)
    if options.threads:
        settings = dataclasses.replace(settings, threads=options.threads)
    with torch_threads(settings.threads):
        result = measure(settings, questions, base, variants, setup, rewards)
        model = setup() if setup else load_model(base, quantization=settings.quantization)
        if result["steps"]["ours"]:
            result["floor"] = floor(model, result["steps"]["ours"], settings.quantization)
        del model
    result["memory_mb"] = peak_memory(["--size", options.size])
    result |= {"machine": machine(), "threads": settings.threads, "settings": dataclasses.asdict(settings)}
    name = "grpo_step.json" if options.size == "laptop" else f"grpo_step_{options.size}.json"
    paths.write_json(RESULTS / name, result)
    print(f"\n{result['machine']}; {settings.threads} threads\n\n{table(result)}")


if __name__ == "__main__":
    main()
