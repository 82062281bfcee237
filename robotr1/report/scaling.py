"""What more of everything would cost, from what was measured here: `python -m robotr1.report.scaling`.

Writes `reports/scaling.md` from the results in `performance/results/` and the demonstrations that lie in `data/`. Each
number there is measured, or comes from a formula that stands beside it; what has no measurement says so.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pandas as pd
import yaml

from robotr1 import paths
from robotr1.report.tables import markdown

OUTPUT = paths.REPORTS / "scaling.md"
DEMOS, QUESTIONS, PARAMETERS = 10**6, 10**8, 72 * 10**9
NOT_MEASURED = "not measured"
# Of one H100 SXM, from NVIDIA's data sheet: dense bfloat16 operations a second, bytes a second, bytes.
GPU_FLOPS, GPU_BANDWIDTH, GPU_MEMORY = 989e12, 3.35e12, 80e9
UTILISATION = 0.3  # of GPU_FLOPS; an assumption
GPUS = 8
NF4_BYTES = 4.127 / 8  # a weight: 4 bits and QLoRA's doubly quantised constants (arXiv 2305.14314, section 3)


@dataclass(frozen=True)
class Measured:
    """What was measured; None where it was not."""

    demos_per_cpu_minute: float | None = None
    demo_bytes: float | None = None
    demo_files: float | None = None
    question_seconds: float | None = None  # of CPU
    question_bytes: float | None = None
    question_memory: tuple[float, float] | None = None  # bytes at zero questions, and for each
    step_seconds: dict[str, float] | None = None  # of GRPO, by trainer
    stages: str | None = None  # the table of stage times


def measured(results: Path = paths.ROOT / "performance/results", demos: Path = paths.DEMOS) -> Measured:
    """Read all measurements that there are."""
    text = {path.name: path.read_text(encoding="utf-8") for path in results.glob("*.*") if path.suffix != ".png"}
    rate = re.search(r"([\d.]+) demonstrations per CPU minute", text.get("demos.md", ""))
    sizes = [path.stat().st_size for path in demos.rglob("*") if path.is_file()] if demos.is_dir() else []
    episodes = len(list(demos.glob("*/variation*/episodes/episode*"))) or None
    found: dict[str, object] = {}
    if rows := _question_rows(text.get("questions.md", "")):
        count, seconds, memory, size = rows[-1]
        slope = (memory - rows[0][2]) / (count - rows[0][0]) if len(rows) > 1 else 0.0
        found = {
            "question_seconds": seconds / count,
            "question_bytes": size / count,
            "question_memory": (memory - slope * count, slope),
        }
    if "grpo_step.json" in text:
        steps = json.loads(text["grpo_step.json"])["steps"]
        found["step_seconds"] = {name: median(step["seconds"] for step in taken) for name, taken in steps.items()}
    return Measured(
        demos_per_cpu_minute=float(rate[1]) if rate else None,
        demo_bytes=sum(sizes) / episodes if episodes else None,
        demo_files=len(sizes) / episodes if episodes else None,
        stages=text.get("stage_times.md"),
        **found,
    )


def _question_rows(text: str) -> list[tuple[float, float, float, float]]:
    """Questions, CPU seconds, bytes of memory, bytes of the file, from the table of performance/questions.py."""
    pattern = r"^\| ([\d,]+) \| [\d.]+ s \| ([\d.]+) s \| \d+ µs \| (\d+) MB \| (\d+) MB \|"
    rows = re.findall(pattern, text, re.MULTILINE)
    return [(float(n.replace(",", "")), float(s), float(m) * 2**20, float(b) * 2**20) for n, s, m, b in rows]


def scaling(known: Measured, paper: Mapping[str, int]) -> str:
    """The report as markdown; `paper` holds the paper profile's settings of train_grpo."""
    parts = [
        "# What more would cost\n",
        "Written by `python -m robotr1.report.scaling`. **Measured** is what ran on the machine named in "
        "`performance/results/`; **extrapolated** is a formula applied to it; **from data sheets** has no "
        "measurement of "
        "ours in it at all. Nothing of the sizes below was run.\n",
        _demos(known),
        _questions(known),
        _policy(known, paper),
        _breaks(),
        "## One run of the study, measured\n",
        known.stages or f"Stage times: {NOT_MEASURED} (`python performance/stage_times.py`).\n",
    ]
    return "\n".join(parts)


def _demos(known: Measured) -> str:
    rate, size, files = known.demos_per_cpu_minute, known.demo_bytes, known.demo_files
    hours = None if rate is None else DEMOS / rate / 60
    return (
        f"## {DEMOS:,} demonstrations\n\n"
        + _table(
            [
                ("demonstrations per CPU minute", _number(rate), "measured", "`performance/demos.py`, ten tasks"),
                ("one demonstration", _bytes(size), "measured", "`data/demos`, front camera, question frames"),
                ("files of one demonstration", _number(files), "measured", "`data/demos`"),
                (f"CPU hours for {DEMOS:,}", _number(hours), "extrapolated", "number / rate; episodes are independent"),
                ("on 256 cores", _hours(hours and hours / 256), "extrapolated", "CPU hours / cores, no loss assumed"),
                ("disk", _bytes(size and size * DEMOS), "extrapolated", "number x size of one"),
                ("files", _number(files and files * DEMOS), "extrapolated", "number x files of one"),
            ]
        )
        + (
            '\n**Engine:** joblib. `joblib.parallel_config(backend="dask")` around `collect_demos` hands it to a '
            "Dask cluster "
            "that shares the folder (tested here with local workers, byte for byte); Ray's `register_ray()` gives "
            "joblib a "
            "backend of the same kind and was not tried. Each episode has a seed of its own, so the result does not "
            "depend "
            "on who makes it.\n"
        )
    )


def _questions(known: Measured) -> str:
    seconds, size = known.question_seconds, known.question_bytes
    hours = None if seconds is None else seconds * QUESTIONS / 3600
    base, each = known.question_memory or (None, None)
    memory = None if base is None else base + each * QUESTIONS
    return (
        f"## {QUESTIONS:,} questions\n\n"
        + _table(
            [
                ("CPU seconds a question", _number(seconds), "measured", "`performance/questions.py`, its largest set"),
                ("JSONL of a question", _bytes(size), "measured", "the same set"),
                (
                    f"CPU hours for {QUESTIONS:,}",
                    _hours(hours),
                    "extrapolated",
                    "linear in the number, as its curve is",
                ),
                ("disk", _bytes(size and size * QUESTIONS), "extrapolated", "number x size of one"),
                (
                    "peak memory",
                    _bytes(memory),
                    "extrapolated",
                    "line through smallest and largest set: the pools of answers",
                ),
            ]
        )
        + (
            "\n**Engine:** `stream_questions` yields one question at a time and needs one process; tasks are "
            "independent, so a "
            "process for each shortens it (not tried). Training on them wants `datasets` in streaming mode "
            '(`load_dataset("json", streaming=True)` with a shuffle buffer): `robotr1.training` builds a data set '
            "in memory.\n"
        )
    )


def _policy(known: Measured, paper: Mapping[str, int]) -> str:
    completions = paper["prompts_per_step"] * paper["num_generations"]
    length, steps = paper["max_completion_length"], paper["steps"]
    tokens = completions * (length + paper["prompt_budget"])
    weights = 2.0 * PARAMETERS
    operations = (2 + 2 + 2) * PARAMETERS * tokens
    learning = steps * operations / (GPUS * GPU_FLOPS * UTILISATION) / 3600
    floor = steps * length * weights / (GPUS * GPU_BANDWIDTH) / 3600
    spoken = (
        f"{completions} completions of {length} tokens and prompts of {paper['prompt_budget']}, both at their limits"
    )
    rows = [
        *(
            (f"one GRPO step of the tiny policy, {name}", f"{seconds:.2f} s", "measured", "`performance/grpo_step.py`")
            for name, seconds in (known.step_seconds or {"": None}).items()
            if seconds is not None
        ),
        ("weights in bfloat16", _bytes(weights), "from data sheets", "2 bytes x parameters"),
        ("weights in NF4", _bytes(NF4_BYTES * PARAMETERS), "from data sheets", "4.127 bits x parameters (QLoRA)"),
        ("operations of a step", f"{operations:.1e}", "from data sheets", f"6 x parameters x tokens; {spoken}"),
        (f"{steps} steps on {GPUS} H100", _hours(learning), "from data sheets", "operations / (GPUs x peak x 0.3)"),
        (
            "of which writing, at least",
            _hours(floor),
            "from data sheets",
            "steps x tokens x weights / (GPUs x bandwidth)",
        ),
    ]
    if not known.step_seconds:
        rows.insert(0, ("one GRPO step of the tiny policy", NOT_MEASURED, "", "`performance/grpo_step.py`"))
    return (
        f"## A policy of {PARAMETERS / 1e9:.0f}B parameters\n\n"
        + _table(rows)
        + (
            "\nThe formula: 2 operations per parameter and token to write (or read) it, 2 for the forward pass of "
            "learning and 2 "
            "for the gradient of the activations; LoRA needs no gradient of the frozen weights. The lower limit of "
            "writing "
            "reads all weights once for each token of the longest answer, all completions together; keys and values "
            "come on top. "
            "The tiny step is shown to say what was measured; its time does not enter, since a model of 2 million "
            "parameters on "
            "a CPU says nothing about one of 72 billion on GPUs.\n\n"
            "**Engine:** `accelerate launch` with FSDP shards weights and optimiser; a vLLM server writes the "
            "completions (TRL: "
            f"`use_vllm`). On one GPU of {GPU_MEMORY / 1e9:.0f} GB the NF4 weights fit, and what is left is for "
            "keys and values. "
            "None of this was run here.\n"
        )
    )


def _breaks() -> str:
    return (
        "## What breaks first\n\nReasoned from the code and the numbers above, not tried.\n\n"
        "1. **Demonstrations: the number of files**, long before the bytes. An episode is a folder, as in RLBench; "
        "DVC hashes "
        "each file. Write tar shards (WebDataset) or one dataset a task from there on.\n"
        "2. **Questions: `Dataset.from_list`** in `robotr1/training/runs.py` and `read_records`, which hold every "
        "question in "
        "memory. Building them streams; learning from them does not yet.\n"
        "3. **The policy: writing.** Completions of thousands of tokens are read-bound; without vLLM's paged keys "
        "and values a "
        "batch of hundreds does not fit. `speedups: shared_prompts` and `skip_zero_std` save learning, not writing.\n"
        "4. **The exam:** `07_run_benchmarks` keeps all answers in memory and asks one policy after the other.\n"
    )


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    rows = [(name, value, "" if value == NOT_MEASURED else kind, source) for name, value, kind, source in rows]
    return markdown(pd.DataFrame(rows, columns=["what", "how much", "how known", "from"]))


def _number(value: float | None) -> str:
    if value is None:
        return NOT_MEASURED
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _hours(value: float | None) -> str:
    if value is None:
        return NOT_MEASURED
    return f"{value * 60:.0f} minutes" if value < 1 else f"{value:,.1f} hours"


def _bytes(value: float | None) -> str:
    if value is None:
        return NOT_MEASURED
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{value:.3g} {unit}"
        value /= 1000
    raise AssertionError


def paper_profile(folder: Path = paths.ROOT / "conf") -> dict[str, int]:
    """The paper's settings of train_grpo, with the prompt's budget."""
    config, profile = (
        yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in ("config.yaml", "profile/paper.yaml")
    )
    return config["train_grpo"] | profile["train_grpo"] | {"prompt_budget": config["build_questions"]["prompt_budget"]}


if __name__ == "__main__":
    paths.write_text(OUTPUT, scaling(measured(), paper_profile()))
