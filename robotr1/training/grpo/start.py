"""The start of an RL run: the base with a fresh LoRA adapter, or the adapter of a supervised policy."""

import json
from pathlib import Path

import torch
from peft import LoraConfig

from robotr1 import paths
from robotr1.policies.adapters import load_adapter, lora_config
from robotr1.policies.folders import PolicyError, base_of, resolve
from robotr1.policies.load import load_model
from robotr1.settings import TrainGrpo


def start_folder(settings: TrainGrpo) -> Path | None:
    """The folder of the supervised policy that the run starts from, or None for the base.

    A name is a folder in models/; a name with a slash is a path from the project root.
    """
    if settings.start == "base":
        return None
    return (paths.ROOT if "/" in settings.start else paths.MODELS) / settings.start


def check_start(settings: TrainGrpo, base: str | Path) -> None:
    """Raises PolicyError where `settings.start` is missing, no adapter, of another base, or of another LoRA size."""
    folder = start_folder(settings)
    if folder is None:
        return
    if not folder.is_dir():
        form = settings.start.removeprefix("sft-")
        raise PolicyError(
            f"start: {paths.relative(folder)} is missing; train it first (`dvc repro finetune_sft@{form}`, with {form} "
            "among policies.forms), or start from base."
        )
    adapter_base = base_of(folder)
    if adapter_base is None:
        raise PolicyError(f"start: {paths.relative(folder)} is no adapter; name a supervised policy, or base.")
    if resolve(adapter_base) != resolve(base):
        raise PolicyError(f"start: {settings.start} was trained on {adapter_base}, not on {paths.relative(base)}.")
    config = json.loads((folder / "adapter_config.json").read_text())
    for field, ours, theirs in (
        ("lora_rank", settings.lora_rank, config["r"]),
        ("lora_alpha", settings.lora_alpha, config["lora_alpha"]),
    ):
        if ours != theirs:
            raise PolicyError(f"{field}: {ours}, but {settings.start} has {theirs}, and its adapter keeps its size.")


def load_start(settings: TrainGrpo, base: str | Path) -> tuple[torch.nn.Module, LoraConfig | None]:
    """The model to train, and the LoRA configuration to add; None where it has the adapter of `settings.start`.

    Raises PolicyError as `check_start` and `load_model` do, and where the adapter does not fit the base's shapes.
    """
    check_start(settings, base)
    model, folder = load_model(base, quantization=settings.quantization), start_folder(settings)
    if folder is None:
        return model, lora_config(settings.lora_rank, settings.lora_alpha)
    model = load_adapter(model, folder, base, is_trainable=True)
    model.peft_config["default"].base_model_name_or_path = resolve(base)  # or saving looks for it in this folder
    return model, None
