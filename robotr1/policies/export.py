"""Merge a LoRA adapter into its base and save a plain model that any tool can load."""

from pathlib import Path

from peft import PeftModel

from robotr1 import paths
from robotr1.policies.load import PolicyError, base_of, load_model, load_processor, resolve


def export(adapter: str | Path, output: Path) -> Path:
    """Write `adapter` merged into its base to `output`, with the processor; return `output`.

    The folder loads with `AutoModelForImageTextToText.from_pretrained(output)` alone, without peft. The base is loaded
    in full precision also where the adapter was trained on NF4: its weights then differ slightly from those that the
    adapter saw. Raises PolicyError where `adapter` is no adapter folder.
    """
    base = base_of(adapter)
    if base is None:
        raise PolicyError(f"{adapter}: no adapter_config.json; only an adapter can be merged into a base.")
    model = PeftModel.from_pretrained(load_model(base), resolve(adapter)).merge_and_unload(safe_merge=True)
    with paths.atomic_folder(output) as folder:
        model.save_pretrained(folder)
        load_processor(base).save_pretrained(folder)
    return output
