"""Merge a LoRA adapter into its base and save a plain model that any tool can load.

`python -m robotr1.policies.export models/grpo-seed0 exports/grpo-seed0`
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub import ModelCardData
from transformers import GenerationConfig

from robotr1 import paths
from robotr1.policies.generate import generation_config
from robotr1.policies.load import PolicyError, base_of, load_model, load_processor, put_on, resolve
from robotr1.questions.splits import SPLITS

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def export(adapter: str | Path, output: Path, dtype: Literal["bfloat16", "float32"] = "bfloat16") -> Path:
    """Write `adapter` merged into its base to `output`, with processor and model card; return `output`.

    The folder loads with `AutoModelForImageTextToText.from_pretrained(output)` alone, without peft. Weights are added
    in float32 and then rounded to `dtype`. The base is loaded in full precision also where the adapter was trained on
    NF4: its weights then differ slightly from those that the adapter saw. The saved generation settings are those of
    `complete`: greedy, no penalty, no image tokens. Raises PolicyError where `adapter` is no adapter folder, or one of
    another base.
    """
    base = base_of(adapter)
    if base is None:
        raise PolicyError(f"{adapter}: no adapter_config.json; only an adapter can be merged into a base.")
    processor = load_processor(base)
    model = put_on(load_model(base, dtype=torch.float32), adapter, base).merge_and_unload(safe_merge=True)
    settings = _read(Path(resolve(adapter)) / "settings.json")
    model.generation_config = _greedy(model, processor, settings)
    model = model.to(DTYPES[dtype])
    with paths.atomic_folder(output) as folder:
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
        paths.write_text(folder / "README.md", model_card(Path(adapter).name, base, settings, dtype))
    return output


def _greedy(model: torch.nn.Module, processor: Any, settings: dict[str, Any]) -> GenerationConfig:
    config = generation_config(model, processor, settings.get("max_completion_length", 128), temperature=0.0)
    config.disable_compile = None
    return config


def model_card(policy: str, base: str, settings: dict[str, Any], dtype: str, metrics: Path = paths.METRICS) -> str:
    """The card of an exported `policy` in Markdown; every number comes from `metrics`/run_benchmarks.json.

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
        "It expects one image and a prompt as in robotr1 and writes "
        "`<think> … </think> <answer> [[A]] </answer>`. For study only; it never moved a real robot.\n",
        "## Accuracy\n",
    ]
    results = _read(metrics / "run_benchmarks.json")
    rows = {
        name: {split: kinds for split, kinds in results[name].items() if split in SPLITS}
        for name in (policy, f"{policy}-blank", "base")
        if name in results
    }
    if policy in rows:
        columns = list(dict.fromkeys(kind for splits in rows.values() for kinds in splits.values() for kind in kinds))
        lines.append("Share of questions answered right; chance is 25 % with four options.\n")
        lines += [f"| policy | split | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
        for name, splits in rows.items():
            label = f"{policy}, grey images" if name.endswith("-blank") else name
            for split, kinds in splits.items():
                shown = " | ".join(f"{100 * kinds[kind]:.1f} %" if kind in kinds else "" for kind in columns)
                lines.append(f"| {label} | {split} | {shown} |")
    else:
        lines.append("Not measured: reports/metrics/run_benchmarks.json does not name this policy.")
    if settings:
        lines += ["\n## Training\n", *(f"- {name}: {value}" for name, value in sorted(settings.items()))]
    return "\n".join(lines) + "\n"


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.is_file() else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adapter", help="folder of an adapter, for example models/grpo-seed0")
    parser.add_argument("output", type=Path, help="folder to write; replaced where it exists")
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16")
    arguments = parser.parse_args()
    try:
        export(arguments.adapter, arguments.output, arguments.dtype)
    except (PolicyError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{arguments.output} holds the merged model; it loads without peft")
    return 0


if __name__ == "__main__":
    sys.exit(main())
