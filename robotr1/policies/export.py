"""Merge a LoRA adapter into its base and save a plain model that any tool can load.

`python -m robotr1.policies.export models/grpo-seed0 exports/grpo-seed0`
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import GenerationConfig

from robotr1 import paths
from robotr1.policies.adapters import load_adapter
from robotr1.policies.folders import PolicyError, base_of, resolve
from robotr1.policies.generate import generation_config
from robotr1.policies.load import load_model
from robotr1.policies.model_card import model_card
from robotr1.policies.processor import load_processor

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def export(adapter: str | Path, output: Path, dtype: Literal["bfloat16", "float32"] = "bfloat16") -> Path:
    """Write `adapter` merged into its base to `output`, with processor and model card; return `output`.

    The folder loads with `AutoModelForImageTextToText.from_pretrained(output)` alone, without peft. Weights are added
    in float32 and then rounded to `dtype`. The base is loaded in full precision even where the adapter was trained on
    NF4; its weights then differ slightly from those in training. The saved generation settings are those of
    `complete`: greedy, no penalty, no image tokens. Raises PolicyError where `adapter` is no adapter folder, or does
    not fit its base.
    """
    base = base_of(adapter)
    if base is None:
        raise PolicyError(f"{adapter}: no adapter_config.json; only an adapter can be merged into a base.")
    processor = load_processor(base)
    model = load_adapter(load_model(base, dtype=torch.float32), adapter, base).merge_and_unload(safe_merge=True)
    file = Path(resolve(adapter)) / "settings.json"
    settings = json.loads(file.read_text()) if file.is_file() else {}
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
    print(f"{arguments.output}: merged model, loads without peft")
    return 0


if __name__ == "__main__":
    sys.exit(main())
