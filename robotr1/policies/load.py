"""Load a policy: a full model or a LoRA adapter, from a folder or the hub, in full precision or NF4."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, BitsAndBytesConfig, ProcessorMixin
from transformers.utils import logging

from robotr1.policies.adapters import load_adapter
from robotr1.policies.folders import PolicyError, base_of, resolve
from robotr1.policies.processor import load_processor

NOT_QUANTIZED = ["model.visual", "lm_head"]  # prefixes of module names


def load_policy(
    folder: str | Path, *, quantization: str = "none", adapter: str | Path | None = None
) -> tuple[torch.nn.Module, ProcessorMixin]:
    """Load (model, processor) in evaluation mode.

    `folder` is a full model (folder or hub id) or a LoRA adapter folder. An adapter's base is the one that its
    adapter_config.json names, relative to the repository root. `adapter` puts an adapter onto a full model.
    Raises PolicyError for a folder that cannot be used.
    """
    base = base_of(folder)
    if base is not None:
        if adapter is not None:
            raise PolicyError(f"{folder}: is an adapter itself, so `adapter` cannot be given as well.")
        folder, adapter = base, folder
    processor = load_processor(folder)
    model = load_model(folder, quantization=quantization)
    if adapter is not None:
        model = load_adapter(model, adapter, folder)
    return model.eval(), processor


def load_model(folder: str | Path, *, quantization: str = "none", dtype: torch.dtype | None = None) -> torch.nn.Module:
    """Load a full model in float32 on a CPU and bfloat16 on a GPU, or in `dtype`; `quantization` is "none" or "nf4".

    Raises PolicyError for a folder without config or weights and for an unknown quantization.
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
    try:
        with _without_progress_bars():
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


def nf4_config(compute_dtype: torch.dtype = torch.bfloat16) -> BitsAndBytesConfig:
    """QLoRA's storage: 4-bit NormalFloat, double quantization; the vision tower and the head stay unquantized."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
        llm_int8_skip_modules=NOT_QUANTIZED,
    )


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    """Hide transformers' bars: loading takes seconds, and each notebook would store one."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
