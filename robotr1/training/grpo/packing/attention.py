"""Attention within a packed row: a completion attends to its own prompt and to itself.

transformers can replace a model's attention function by name; importing this module registers `ATTENTION`.
"""

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from robotr1.training.grpo.packing.rows import Layout

ATTENTION = "shared_prompts"


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    layout: Layout | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention within one packed row, as transformers calls it: query [1, heads, T, d] → [1, T, heads, d].

    Without a layout it is transformers' own function, so a model may keep it for everything.
    """
    if layout is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)
    prompts, prompt_length, rows, completion_length = layout.shape
    repeats = query.shape[1] // key.shape[1]
    tokens = [one[0].transpose(0, 1) for one in (query, *(x.repeat_interleave(repeats, 1) for x in (key, value)))]

    def grids(part: slice, indices: torch.Tensor, count: int, length: int) -> list[torch.Tensor]:
        empty = query.new_zeros(count * length, *tokens[0].shape[1:])
        filled = (empty.index_copy(0, indices, one[part]) for one in tokens)
        return [one.view(count, length, *one.shape[1:]).transpose(1, 2) for one in filled]

    def attend(grid: list[torch.Tensor], indices: torch.Tensor, **mask: Any) -> torch.Tensor:
        out = scaled_dot_product_attention(*grid, scale=scaling, **mask)
        return out.transpose(1, 2).flatten(0, 1)[indices]

    border = len(layout.prompts)
    shared = grids(slice(border), layout.prompts, prompts, prompt_length)
    out = [attend(shared, layout.prompts, is_causal=True)]  # padding is on the right, where no token attends
    if len(layout.completions):
        own = grids(slice(border, None), layout.completions, rows, completion_length)
        both = [torch.cat([one[layout.group], part], dim=2) for one, part in zip(shared[1:], own[1:], strict=True)]
        out.append(attend([own[0], *both], layout.completions, attn_mask=layout.visible))
    return torch.cat(out)[None], None


AttentionInterface.register(ATTENTION, packed_attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)
