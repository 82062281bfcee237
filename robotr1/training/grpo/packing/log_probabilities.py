"""Log-probabilities and entropies of completions from one packed row; equal to the unpacked ones up to rounding."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

from robotr1.training.grpo.packing.attention import ATTENTION
from robotr1.training.grpo.packing.rows import find_groups, pack


@contextmanager
def only_at(core: Qwen2_5_VLModel, indices: torch.Tensor) -> Iterator[None]:
    """Within the context, `core` returns the hidden states at `indices` only."""

    def select(module, args, output):
        output.last_hidden_state = output.last_hidden_state[:, indices]
        return output

    hook = core.register_forward_hook(select)
    try:
        yield
    finally:
        hook.remove()


def packed_log_probabilities(
    model: torch.nn.Module,
    core: Qwen2_5_VLModel,
    ids: torch.Tensor,
    mask: torch.Tensor,
    keep: int,
    images: list[torch.Tensor],
    grids: torch.Tensor,
    token_types: torch.Tensor,
    temperature: float,
    fused: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities and entropies [rows, keep] of the completions, zero after their ends.

    Works with gradient checkpointing and NF4.

    Args:
        model: a policy with TRL's fused head. core: the Qwen2.5-VL in it.
        ids, mask: as for `pack`. images: pixels of each row. grids [rows, 3], token_types [rows, P + keep]: the
            processor's image_grid_thw and mm_token_type_ids.
        fused: use TRL's head, which goes through the vocabulary in chunks and never holds all logits (default: on a
            GPU). On a CPU plain logits are three times as fast for a small vocabulary, and after packing they are few.
    """
    fused = ids.is_cuda if fused is None else fused
    width = ids.shape[1] - keep
    groups = find_groups(ids[:, :width].tolist(), images, ids.device)
    first = groups.first
    positions, _ = core.get_rope_index(
        ids[first, :width], token_types[first, :width], grids[first], attention_mask=mask[first, :width]
    )
    row, indices, layout = pack(ids, mask, positions, keep, groups)
    row["pixel_values"] = torch.cat([images[i] for i in first.tolist()])
    labels = row.pop("shift_labels")
    options = {"shift_labels": labels, "fused_lm_head": True} if fused else {"use_cache": False}
    core.language_model.config._attn_implementation = ATTENTION  # stays set: checkpointing runs forward again later
    with only_at(core, indices):
        out = model(**row, image_grid_thw=grids[first], layout=layout, **options)
    if fused:
        logps, entropies = out.log_probs[0], out.entropy[0]
    else:
        all_logps = (out.logits[0].float() / temperature).log_softmax(dim=-1)
        logps = all_logps.gather(1, labels.T)[:, 0]
        entropies = -(all_logps.detach().exp() * all_logps.detach()).sum(dim=-1)
    real = mask[:, width:].bool()
    empty = logps.new_zeros(real.shape)
    return empty.masked_scatter(real, logps), empty.masked_scatter(real, entropies)
