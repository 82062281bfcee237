"""Write the model card of an exported policy from the metrics of its study."""

import json
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from robotr1 import paths
from robotr1.questions.splits import SPLITS


def model_card(policy: str, base: str, settings: dict[str, Any], dtype: str, metrics: Path = paths.METRICS) -> str:
    """The card of `policy` in Markdown; every number comes from `metrics`/run_benchmarks.json.

    A policy that was never benchmarked gets a card that says so.
    """
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="image-text-to-text",
        base_model=None if (paths.ROOT / base).is_dir() or Path(base).is_dir() else base,
        tags=["robotics", "robot-r1", settings.get("algorithm", "sft")],
    )
    how = (
        f"by reinforcement learning ({settings['algorithm']})"
        if "algorithm" in settings
        else "by supervised fine-tuning"
    )
    lines = [
        f"---\n{data.to_yaml()}\n---\n\n# {policy}\n",
        f"`{base}`, trained {how} on questions about robot manipulation as in Robot-R1 (arXiv 2506.00070), with the "
        f"repository robotr1. The LoRA adapter was added to the base in float32; the weights are stored in {dtype}.\n",
        "It expects one image and a prompt as in robotr1 and generates "
        "`<think> … </think> <answer> [[A]] </answer>`. For study only; it never moved a real robot.\n",
        "## Accuracy\n",
        *_accuracy(policy, metrics / "run_benchmarks.json"),
    ]
    if settings:
        lines += ["\n## Training\n", *(f"- {name}: {value}" for name, value in sorted(settings.items()))]
    return "\n".join(lines) + "\n"


def _accuracy(policy: str, file: Path) -> list[str]:
    results = json.loads(file.read_text()) if file.is_file() else {}
    rows = {
        name: {split: types for split, types in results[name].items() if split in SPLITS}
        for name in (policy, f"{policy}-blank", "base")
        if name in results
    }
    if policy not in rows:
        return ["Not measured: reports/metrics/run_benchmarks.json does not name this policy."]
    columns = list(dict.fromkeys(name for splits in rows.values() for types in splits.values() for name in types))
    lines = ["Share of questions answered right; chance is 25 % with four options.\n"]
    lines += [f"| policy | split | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
    for name, splits in rows.items():
        label = f"{policy}, grey images" if name.endswith("-blank") else name
        for split, types in splits.items():
            cells = " | ".join(f"{100 * types[column]:.1f} %" if column in types else "" for column in columns)
            lines.append(f"| {label} | {split} | {cells} |")
    return lines
