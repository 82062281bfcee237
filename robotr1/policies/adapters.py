"""LoRA adapters: where they attach, and loading a saved one onto the base that it was trained on."""

import json
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError, safe_open

from robotr1.policies.folders import PolicyError, digest, resolve

# Only the language model's linear layers get LoRA: "all-linear" would also include the vision tower.
LORA_TARGETS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
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


def load_adapter(model: torch.nn.Module, adapter: str | Path, base: str | Path) -> PeftModel:
    """`model`, which was loaded from `base`, with the LoRA weights of the folder `adapter`.

    Raises PolicyError where the adapter was trained on another base. PEFT alone would initialise missing weights and
    ignore unexpected ones.
    """
    folder = Path(resolve(adapter))
    another = f"{adapter}: was trained on another base than {base}"
    fix = "Name its own base in adapter_config.json (base_model_name_or_path), or train the adapter again."
    try:
        recorded = json.loads((folder / BASE_FILE).read_text()) if (folder / BASE_FILE).is_file() else {}
        found = digest(resolve(base))
        if found and recorded.get("sha256") not in (None, found):
            raise PolicyError(f"{another}, whose weights have changed since or are not {recorded['name']}'s. {fix}")
        model = PeftModel.from_pretrained(model, folder)
        with safe_open(folder / "adapter_model.safetensors", "pt") as file:
            stored = set(file.keys())
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        if isinstance(error, PolicyError):
            raise
        if "size mismatch" in str(error):
            raise PolicyError(f"{another}: its weights have other shapes. {fix}") from error
        raise PolicyError(f"{adapter}: no usable adapter for {base} ({error}).") from error
    wanted = {name.replace(".default.", ".") for name, _ in model.named_parameters() if "lora_" in name}
    if different := sorted(wanted ^ stored):
        which = "lacks" if different[0] in wanted else "has"
        raise PolicyError(
            f"{another}: of {len(wanted)} weights {len(different)} differ; it {which} {different[0]}. {fix}"
        )
    return model
