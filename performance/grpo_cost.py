"""Measure how the time of a GRPO step grows with group size, prompt, completion and image, for TRL's trainer and ours.

    python performance/grpo_cost.py            measure (results/grpo_cost.json), draw reports/grpo_cost.png
    python performance/grpo_cost.py --draw     draw again from the file

On models/base, four questions a step; one parameter is varied at a time. An alternating reward keeps every group from
being zero-std, and no token ends a completion, so that nothing is skipped and lengths are as stated.
"""

import argparse
import dataclasses
import json
import statistics
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from common import RESULTS, machine
from grpo_step import alternating, measure

from robotr1 import paths
from robotr1.records import Question, read_records
from robotr1.settings import load_settings
from robotr1.training.memory import torch_threads

USUAL = {"group": 5, "prompt": 0, "completion": 24, "image": 140}
CURVES = {  # what is varied: its axis and values
    "group": ("answers to a question (G)", [2, 5, 8, 16]),
    "prompt": ("more words in the prompt", [0, 50, 150, 300]),
    "completion": ("tokens of an answer", [12, 24, 48, 96]),
    "image": ("image (pixels, square)", [84, 140, 224, 308]),
}


def measured(point: dict[str, int], steps: int, questions: list[Question], base: Path) -> dict:
    """Median wall and CPU seconds of a step at one point, for each trainer."""
    settings = dataclasses.replace(
        load_settings()["train_grpo"],
        steps=steps + 1, save_steps=steps + 2, prompts_per_step=4, micro_batch=0, algorithm="grpo",
        num_generations=point["group"], max_completion_length=point["completion"],
    )  # fmt: skip
    longer = [dataclasses.replace(q, prompt=q.prompt + " cup" * point["prompt"]) for q in questions]

    def prepare(trainer) -> None:
        images = trainer.processing_class.image_processor
        images.size = {"shortest_edge": point["image"] ** 2, "longest_edge": point["image"] ** 2}
        trainer.eos_token_ids = [trainer.processing_class.tokenizer.pad_token_id]
        trainer.generation_config.eos_token_id = trainer.eos_token_ids
        trainer.generation_config.suppress_tokens += trainer.eos_token_ids

    with torch_threads(settings.threads):
        both = {"trl": {"trl": True}, "ours": {}}
        found = measure(settings, longer, base, both, rewards=[alternating, alternating], prepare=prepare)
    assert not found["failed"], found["failed"]
    return {
        name: {key: statistics.median(step[key] for step in taken) for key in ("seconds", "cpu_seconds")}
        | {"completion_tokens": taken[0]["completion_tokens"], "prompt_tokens": taken[0]["prompt_tokens"]}
        for name, taken in found["steps"].items()
    }


def sweep(steps: int) -> dict:
    questions, base = read_records(paths.QUESTIONS / "train.jsonl", Question)[:200], paths.MODELS / "base"
    points = []
    for name, (_, values) in CURVES.items():
        for value in values:
            found = measured({**USUAL, name: value}, steps, questions, base)
            points.append({"varied": name, "value": value, **found})
            print(name, value, {who: round(numbers["seconds"], 3) for who, numbers in found.items()}, flush=True)
    return {"machine": machine(), "threads": load_settings()["train_grpo"].threads, "usual": USUAL, "points": points}


def draw(result: dict, file: Path) -> None:
    fig, axes = plt.subplots(2, 2, figsize=(7, 5), dpi=120, layout="constrained")
    for ax, (name, (label, _)) in zip(axes.flat, CURVES.items()):
        points = [point for point in result["points"] if point["varied"] == name]
        for who, style in {"trl": "s--", "ours": "o-"}.items():
            ax.plot([p["value"] for p in points], [p[who]["cpu_seconds"] for p in points], style, label=who)
        ax.set(xlabel=label, ylim=0)
    axes[0, 0].set(ylabel="CPU seconds a step")
    axes[1, 0].set(ylabel="CPU seconds a step")
    axes[0, 0].legend(["TRL", "robotr1"], frameon=False)
    fig.savefig(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2, help="measured steps at each point")
    parser.add_argument("--draw", action="store_true", help="only draw")
    options = parser.parse_args()
    paths.CHECKPOINTS = Path(tempfile.mkdtemp(prefix="robotr1-benchmark-"))
    file = RESULTS / "grpo_cost.json"
    if not options.draw:
        paths.write_json(file, sweep(options.steps))
    draw(json.loads(file.read_text()), paths.REPORTS / "grpo_cost.png")


if __name__ == "__main__":
    main()
