"""LoRA adapters: where they attach, and loading a saved one onto the base that it was trained on."""

import json
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import safe_open

from robotr1.policies.folders import PolicyError, digest, resolve
from robotr1.policies.weights import LOADING_ERRORS, check_files, check_finite

# Only the language model's linear layers get LoRA: "all-linear" would also include the vision tower.
LORA_TARGETS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
FIX = "Name its own base in adapter_config.json (base_model_name_or_path), or train the adapter again."
BASE_FILE = "base.json"  # in an adapter's folder: name and digest of the base that it was trained on


def lora_config(rank: int, alpha: int, dropout: float = 0.0) -> LoraConfig:
    """LoRA on every linear layer of the language model; vision tower, embeddings and head stay frozen."""
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=LORA_TARGETS,
        bias="none",
        task_type="CAUSAL_LM",
    )


def add_lora(model: torch.nn.Module, rank: int, alpha: int) -> PeftModel:
    """`model` with a new adapter. Only the adapter is trainable, and it starts as zero."""
    return get_peft_model(model, lora_config(rank, alpha))


def load_adapter(
    model: torch.nn.Module, adapter: str | Path, base: str | Path, is_trainable: bool = False
) -> PeftModel:
    """`model`, which was loaded from `base`, with the LoRA weights of the folder `adapter`.

    PEFT alone would initialise missing weights and ignore unexpected ones. Raises PolicyError for a damaged adapter,
    for one that was trained on another base, and for weights with other names than the model's.
    """
    folder = Path(resolve(adapter))
    check_files(folder)
    file = folder / "adapter_model.safetensors"
    if not file.is_file():
        raise PolicyError(f"{folder}: no adapter_model.safetensors. Save the adapter again with save_pretrained.")
    same_base = _is_recorded_base(folder, base)
    if same_base is False:
        raise PolicyError(f"{adapter}: was trained on another base than {base}, or {base} has changed since. {FIX}")
    with safe_open(file, "pt") as tensors:
        stored = set(tensors.keys())
    try:
        model = PeftModel.from_pretrained(model, folder, is_trainable=is_trainable)
    except LOADING_ERRORS as error:
        if "size mismatch" in str(error):
            cause = "its adapter_config.json has changed" if same_base else f"was trained on another base than {base}"
            raise PolicyError(f"{adapter}: {cause}, as its weights have other shapes. {FIX}") from error
        raise PolicyError(f"{adapter}: no usable adapter for {base} ({error}).") from error
    wanted = {name.replace(".default.", ".") for name, _ in model.named_parameters() if "lora_" in name}
    if wanted != stored:
        raise PolicyError(f"{adapter}: {_difference(wanted, stored, base, same_base)}")
    check_finite(adapter, model)
    return model


def _is_recorded_base(folder: Path, base: str | Path) -> bool | None:
    """Whether BASE_FILE records the weights of `base`; None where one of the two is unknown."""
    file = folder / BASE_FILE
    try:
        recorded = json.loads(file.read_text(encoding="utf-8")).get("sha256") if file.is_file() else None
    except (ValueError, AttributeError) as error:
        raise PolicyError(f"{file}: no record of a base ({error}). Train the adapter again.") from error
    found = digest(resolve(base))
    return recorded == found if recorded and found else None


def _difference(wanted: set[str], stored: set[str], base: str | Path, same_base: bool | None) -> str:
    """Why the stored names are not the wanted ones, and what to do."""
    lacks, has = sorted(wanted - stored), sorted(stored - wanted)
    if lacks and has and {_layer(name) for name in lacks} == {_layer(name) for name in has}:
        return (
            f"its weight names have another prefix: it has {has[0]}, the base needs {lacks[0]}. Another version of "
            "transformers or peft saved it. Rename its weights, or train it again."
        )
    if not wanted & stored:
        has_one = f"it has {has[0]}" if has else "it has none"
        return f"none of its {len(stored)} weights is one of the base's: {has_one}, the base needs {lacks[0]}. {FIX}"
    first = f"it lacks {lacks[0]}" if lacks else f"it has {has[0]}"
    counted = f"of {len(wanted)} weights {len(lacks) + len(has)} differ; {first}"
    cause = "its file is incomplete or changed" if same_base else f"was trained on another base than {base}"
    return f"{cause}: {counted}. {FIX}"


def _layer(name: str) -> str:
    """A weight's name from its layer's number on, which every version of transformers writes alike."""
    return name.partition(".layers.")[2]
