"""Load a policy with its processor: a full model or a LoRA adapter, from a folder or the hub, full precision or NF4."""

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForImageTextToText, AutoProcessor, BitsAndBytesConfig, ProcessorMixin
from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor
from transformers.utils import logging

from robotr1 import paths

# LoRA goes into the language model's linear layers and nowhere else: "all-linear" would also hit the vision tower.
LORA_TARGETS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
NOT_QUANTIZED = ["model.visual", "lm_head"]  # prefixes of module names
BASE_FILE = "base.json"  # beside an adapter: which base it was trained on
DIGESTED_BYTES = 64 << 20  # larger files are known by their size and both ends


class PolicyError(ValueError):
    """A policy folder that cannot be used; the message names the folder and the way out."""


class ImageTextProcessor(Qwen2_5_VLProcessor):
    """Qwen2.5-VL's processor without its video part, which needs torchvision.

    `ProcessorMixin` reads the parts of a processor from the signature of `__init__`; leaving the video processor out
    of it is all that is needed. The class saves itself under the parent's name, so that `AutoProcessor` finds it.
    """

    def __init__(self, image_processor=None, tokenizer=None, chat_template=None, **kwargs):
        self.video_processor = None
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


ImageTextProcessor.__name__ = Qwen2_5_VLProcessor.__name__


def resolve(name: str | Path) -> str:
    """A local folder as an absolute path (relative ones are taken from the project root), or a hub id unchanged."""
    for candidate in (Path(name), paths.ROOT / name):
        if candidate.is_dir():
            return str(candidate.resolve())
    if Path(name).is_absolute() or str(name).startswith((".", "models/", "weights/", "checkpoints/")):
        raise PolicyError(f"{name}: no such policy folder. Run the stage that writes it (dvc repro), or name another.")
    return str(name)


def load_processor(folder: str | Path, **options: Any) -> ProcessorMixin:
    """Load the processor (tokenizer and image processor) of a policy folder or hub id, with padding on the left.

    Works with and without torchvision. Raises `PolicyError` where the folder has no usable processor.
    """
    name = resolve(folder)
    cls = AutoProcessor if importlib.util.find_spec("torchvision") else ImageTextProcessor
    try:
        processor = cls.from_pretrained(name, **options)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise PolicyError(
            f"{folder}: no usable processor ({error}). A policy folder needs tokenizer.json, tokenizer_config.json and "
            "preprocessor_config.json or processor_config.json; copy them from its base model."
        ) from error
    if not isinstance(processor, ProcessorMixin) or getattr(processor, "image_processor", None) is None:
        raise PolicyError(f"{folder}: holds a tokenizer but no image processor; copy it from the base model.")
    if processor.image_token not in processor.tokenizer.get_vocab():  # a missing tokenizer.json gives an empty one
        raise PolicyError(f"{folder}: no tokenizer.json with {processor.image_token}; copy it from the base model.")
    processor.tokenizer.padding_side = "left"
    return processor


def nf4_config(compute_dtype: torch.dtype = torch.bfloat16) -> BitsAndBytesConfig:
    """QLoRA's storage: 4-bit NormalFloat with double quantisation; the vision tower and the head stay as they are."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
        llm_int8_skip_modules=NOT_QUANTIZED,
    )


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
    """`model` with a fresh adapter: only the adapter is trainable, and at first it changes nothing."""
    return get_peft_model(model, lora_config(rank, alpha))


def load_model(
    folder: str | Path, *, quantization: str = "none", revision: str = "", dtype: torch.dtype | None = None
) -> torch.nn.Module:
    """Load a full model in float32 on a CPU and bfloat16 on a GPU, or in `dtype`; `quantization` is "none" or "nf4".

    Raises `PolicyError` for a folder without config or weights and for an unknown quantization.
    """
    if quantization not in ("none", "nf4"):
        raise PolicyError(f"quantization: {quantization!r} is not one of none, nf4.")
    cuda, gpu = torch.cuda.is_available(), int(os.environ.get("LOCAL_RANK", 0))  # `accelerate launch` sets LOCAL_RANK
    options: dict[str, Any] = {"dtype": dtype or (torch.bfloat16 if cuda else torch.float32)}
    if revision:
        options["revision"] = revision
    if quantization == "nf4":
        options |= {
            "quantization_config": nf4_config(options["dtype"]),
            "device_map": {"": gpu if cuda else "cpu"},
        }
    try:
        with _without_bars():
            model = AutoModelForImageTextToText.from_pretrained(resolve(folder), **options)
    except (OSError, ValueError, KeyError) as error:
        raise PolicyError(
            f"{folder}: no usable model ({error}). A policy folder needs config.json and model.safetensors, or "
            "adapter_config.json and adapter_model.safetensors for an adapter."
        ) from error
    for module in model.modules():  # bitsandbytes repacks 4-bit weights for AVX512 and fails where columns % 64 > 0
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model.to(f"cuda:{gpu}") if cuda and quantization == "none" else model


@contextmanager
def _without_bars() -> Iterator[None]:
    """Reading weights is a matter of seconds, and its progress bar would stand in every notebook."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def base_of(folder: str | Path) -> str | None:
    """The base model an adapter folder names in its adapter_config.json; None where the folder is a full model."""
    config = Path(resolve(folder)) / "adapter_config.json"
    if not config.is_file():
        return None
    try:
        return json.loads(config.read_text())["base_model_name_or_path"]
    except (json.JSONDecodeError, KeyError) as error:
        raise PolicyError(f"{config}: no base_model_name_or_path ({error}). Write the adapter again.") from error


def digest(model: str | Path) -> str | None:
    """sha256 over config and weights of a model folder, whatever its name; None for a hub id."""
    folder = Path(model)
    files = sorted([*folder.glob("config.json"), *folder.glob("*.safetensors")]) if folder.is_dir() else []
    content = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        content.update(f"{path.name} {size}".encode())
        with open(path, "rb") as file:
            if size <= DIGESTED_BYTES:
                content.update(file.read())
            else:
                content.update(file.read(1 << 20))
                file.seek(-(1 << 20), os.SEEK_END)
                content.update(file.read())
    return content.hexdigest() if files else None


def put_on(model: torch.nn.Module, adapter: str | Path, base: str | Path) -> PeftModel:
    """`model`, which was loaded from `base`, with the LoRA weights of the folder `adapter`.

    Raises PolicyError where the adapter was trained on another base: PEFT alone fills what is missing with fresh
    weights and leaves out what does not fit.
    """
    folder = Path(resolve(adapter))
    another = f"{adapter}: was trained on another base than {base}"
    way_out = "Name its own base in adapter_config.json (base_model_name_or_path), or train the adapter again."
    try:
        told = json.loads((folder / BASE_FILE).read_text()) if (folder / BASE_FILE).is_file() else {}
        found = digest(resolve(base))
        if found and told.get("sha256") not in (None, found):
            raise PolicyError(f"{another}, whose weights have changed since or are not {told['name']}'s. {way_out}")
        model = PeftModel.from_pretrained(model, folder)
        with safe_open(folder / "adapter_model.safetensors", "pt") as file:
            stored = set(file.keys())
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        if isinstance(error, PolicyError):
            raise
        if "size mismatch" in str(error):
            raise PolicyError(f"{another}: its weights have other shapes. {way_out}") from error
        raise PolicyError(f"{adapter}: no usable adapter for {base} ({error}).") from error
    wanted = {name.replace(".default.", ".") for name, _ in model.named_parameters() if "lora_" in name}
    if different := sorted(wanted ^ stored):
        which = "lacks" if different[0] in wanted else "has"
        raise PolicyError(
            f"{another}: of {len(wanted)} weights {len(different)} differ; it {which} {different[0]}. {way_out}"
        )
    return model


def load_policy(
    folder: str | Path, *, quantization: str = "none", adapter: str | Path | None = None, revision: str = ""
) -> tuple[torch.nn.Module, ProcessorMixin]:
    """Load (model, processor) for answering questions, in evaluation mode.

    `folder` is a full model (folder or hub id) or a LoRA adapter folder, whose base is the one that its
    adapter_config.json names, relative to the project root. `adapter` puts one more adapter on top of a full model.
    """
    base = base_of(folder)
    if base is not None:
        if adapter is not None:
            raise PolicyError(f"{folder}: is an adapter itself, so `adapter` cannot be given as well.")
        folder, adapter = base, folder
    processor = load_processor(folder, **({"revision": revision} if revision else {}))
    model = load_model(folder, quantization=quantization, revision=revision)
    if adapter is not None:
        model = put_on(model, adapter, folder)
    return model.eval(), processor
