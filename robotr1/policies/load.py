"""Load a policy: a full model or a LoRA adapter, from a folder or the hub, in full precision or NF4."""

import os
from pathlib import Path
from typing import Any

import torch
from transformers import BitsAndBytesConfig, ProcessorMixin
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

from robotr1.policies.adapters import load_adapter
from robotr1.policies.folders import PolicyError, base_of, resolve
from robotr1.policies.processor import load_processor
from robotr1.policies.weights import check_finite, check_weights, load_checked

NOT_QUANTIZED = ["model.visual", "lm_head"]  # prefixes of module names


def load_policy(folder: str | Path, *, quantization: str = "none") -> tuple[torch.nn.Module, ProcessorMixin]:
    """Load (model, processor) in evaluation mode.

    `folder` is a full model (folder or hub id) or a LoRA adapter folder. An adapter's base is the one that its
    adapter_config.json names, relative to the repository root.
    Raises PolicyError for a folder that cannot be used.
    """
    base = base_of(folder)
    processor = load_processor(base or folder)
    model = load_model(base or folder, quantization=quantization)
    check_tokens(base or folder, model, processor)
    if base:
        model = load_adapter(model, folder, base)
    return model.eval(), processor


def check_tokens(folder: str | Path, model: torch.nn.Module, processor: ProcessorMixin) -> None:
    """Raises PolicyError where the processor in `folder` is of another model: more tokens, or another image token."""
    tokens, rows = len(processor.tokenizer), model.get_input_embeddings().weight.shape[0]
    if tokens > rows or model.config.image_token_id != processor.image_token_id:
        raise PolicyError(
            f"{folder}: the tokenizer has {tokens} tokens and the image token {processor.image_token_id}, the model "
            f"{rows} and {model.config.image_token_id}: they are of different models. Copy the base's tokenizer."
        )


def load_model(folder: str | Path, *, quantization: str = "none", dtype: torch.dtype | None = None) -> torch.nn.Module:
    """Load a full model in float32 on a CPU and bfloat16 on a GPU, or in `dtype`; `quantization` is "none" or "nf4".

    Raises PolicyError for an unknown quantization, and where config, files and weights do not fit together.
    """
    if quantization not in ("none", "nf4"):
        raise PolicyError(f"quantization: {quantization!r} is not one of none, nf4.")
    cuda, gpu = torch.cuda.is_available(), int(os.environ.get("LOCAL_RANK", 0))  # `accelerate launch` sets LOCAL_RANK
    options: dict[str, Any] = {"dtype": dtype or (torch.bfloat16 if cuda else torch.float32)}
    if quantization == "nf4":
        options |= {
            "quantization_config": nf4_config(options["dtype"]),
            "device_map": {"": gpu if cuda else "cpu"},
        }
    name = resolve(folder)
    check_weights(name)
    model = load_checked(name, **options)
    check_finite(folder, model)
    for module in model.modules():  # bitsandbytes repacks 4-bit weights for AVX512 and fails where columns % 64 > 0
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model.to(f"cuda:{gpu}") if cuda and quantization == "none" else model


def language_core(model: torch.nn.Module) -> Qwen2_5_VLModel | None:
    """The Qwen2.5-VL inside wrappers (PEFT, accelerate), or None for another architecture."""
    return next((module for module in model.modules() if isinstance(module, Qwen2_5_VLModel)), None)


def nf4_config(compute_dtype: torch.dtype = torch.bfloat16) -> BitsAndBytesConfig:
    """QLoRA's storage: 4-bit NormalFloat, double quantization; the vision tower and the head stay unquantized."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
        llm_int8_skip_modules=NOT_QUANTIZED,
    )
