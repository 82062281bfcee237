"""Find the Qwen2.5-VL core inside a wrapped model."""

import torch
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel


def language_core(model: torch.nn.Module) -> Qwen2_5_VLModel | None:
    """The Qwen2.5-VL inside wrappers (PEFT, accelerate), or None for another architecture."""
    return next((module for module in model.modules() if isinstance(module, Qwen2_5_VLModel)), None)
