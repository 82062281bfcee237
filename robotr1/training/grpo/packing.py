"""Score answers as one run of tokens: each prompt once, its answers behind it, no padding.

TRL computes the probabilities of G answers to one question from G padded rows of prompt and answer, so a prompt with
all its image tokens goes through the language model G times. Here every token that matters goes through once:

    one row   prompt 1 | prompt 2 | … | answer 1a | answer 1b | … | answer 2a | …
    sees      itself   | itself   |     prompt 1, itself …         prompt 2, itself

Linear layers, norms and MLPs work token by token, so they never notice. Only attention has to know what belongs
together: transformers lets a model's attention function be exchanged by name, and `shared_prompt_attention` is given
the layout. Positions (Qwen's three-dimensional ones) are those of the unpacked rows; a prompt's last token predicts the
first token of all its answers, and the vocabulary is only asked where an answer's token is predicted. The numbers are
those of the unpacked rows up to rounding, with gradient checkpointing and NF4 too.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

ATTENTION = "shared_prompts"


@dataclass(frozen=True)
class Groups:
    """Rows that share prompt and image. `first` [N]: a row of each group; `group`, `slot` [rows]: where a row went."""

    first: torch.Tensor
    group: torch.Tensor
    slot: torch.Tensor

    @property
    def size(self) -> int:
        return int(self.slot.max()) + 1


def find_groups(prompts: list[list[int]], images: list[torch.Tensor], device: Any = None) -> Groups:
    """Group the rows whose `prompts` (token ids) and whose `images` (one tensor a row) are equal."""
    first, group, slot = [], [], []
    candidates: dict[tuple[int, ...], list[int]] = defaultdict(list)
    members: dict[int, int] = defaultdict(int)
    for row, prompt in enumerate(prompts):
        known = candidates[tuple(prompt)]
        found = next((g for g in known if torch.equal(images[first[g]], images[row])), None)
        if found is None:
            found = len(first)
            first.append(row)
            known.append(found)
        group.append(found)
        slot.append(members[found])
        members[found] += 1
    return Groups(*(torch.tensor(values, device=device) for values in (first, group, slot)))


@dataclass(frozen=True)
class Layout:
    """Where each token of the one row belongs.

    `prompts`, `answers`: place of every token in a padded grid [N, P] and [rows, A], flattened; `shape`: (N, P, rows,
    A); `group` [rows]: the prompt of each answer; `visible` [rows, 1, A, P + A]: what an answer's tokens may look at.
    """

    prompts: torch.Tensor
    answers: torch.Tensor
    shape: tuple[int, int, int, int]
    group: torch.Tensor
    visible: torch.Tensor


def pack(
    ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, keep: int, groups: Groups
) -> tuple[dict[str, torch.Tensor], torch.Tensor, Layout]:
    """Padded rows of prompt and answer → one row without padding.

    Args:
        ids, mask: [rows, P + keep]; prompts padded on the left, the `keep` answer tokens on the right.
        positions: [3, N, P] of each group's prompt.

    Returns input_ids [1, T], position_ids [3, 1, T] and shift_labels [1, S] for the model, the places [S] in the row
    that predict the S real answer tokens, and the layout.
    """
    width, device = ids.shape[1] - keep, ids.device
    asked, real = mask[groups.first, :width].bool(), mask[:, width:].bool()
    inputs = real[:, 1:]  # an answer's last token predicts nothing, so it need not go in
    lengths, count = asked.sum(1), int(asked.sum())
    grid = torch.arange(int(lengths.max()), device=device) < lengths[:, None]

    onwards = positions[:, :, -1:][:, groups.group] + 1 + torch.arange(inputs.shape[1], device=device)
    row = {
        "input_ids": torch.cat([ids[groups.first, :width][asked], ids[:, width:-1][inputs]])[None],
        "position_ids": torch.cat([positions[:, asked], onwards[:, inputs]], dim=1)[:, None],
        "shift_labels": ids[:, width:][real][None],
    }
    last = (lengths.cumsum(0) - 1)[groups.group, None]
    behind = count - 1 + inputs.flatten().cumsum(0).view(inputs.shape)
    causal = torch.ones(inputs.shape[1], inputs.shape[1], dtype=torch.bool, device=device).tril()
    layout = Layout(
        prompts=grid.flatten().nonzero().squeeze(1),
        answers=inputs.flatten().nonzero().squeeze(1),
        shape=(*grid.shape, *inputs.shape),
        group=groups.group,
        visible=torch.cat(
            [grid[groups.group, None].expand(-1, len(causal), -1), causal.expand(len(inputs), -1, -1)], dim=2
        )[:, None],
    )
    return row, torch.cat([last, behind], dim=1)[real], layout


def shared_prompt_attention(
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

    Without a layout it is transformers' own, so that a model may keep this function for everything.
    """
    if layout is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)
    prompts, prompt_length, rows, answer_length = layout.shape
    repeats = query.shape[1] // key.shape[1]
    tokens = [one[0].transpose(0, 1) for one in (query, *(x.repeat_interleave(repeats, 1) for x in (key, value)))]

    def grids(part: slice, places: torch.Tensor, count: int, length: int) -> list[torch.Tensor]:
        empty = query.new_zeros(count * length, *tokens[0].shape[1:])
        filled = (empty.index_copy(0, places, one[part]) for one in tokens)
        return [one.view(count, length, *one.shape[1:]).transpose(1, 2) for one in filled]

    def attend(grid: list[torch.Tensor], places: torch.Tensor, **seen: Any) -> torch.Tensor:
        out = scaled_dot_product_attention(*grid, scale=scaling, **seen)
        return out.transpose(1, 2).flatten(0, 1)[places]

    border = len(layout.prompts)
    asked = grids(slice(border), layout.prompts, prompts, prompt_length)
    found = [attend(asked, layout.prompts, is_causal=True)]  # padding lies on the right, where nobody looks
    if len(layout.answers):
        own = grids(slice(border, None), layout.answers, rows, answer_length)
        both = [torch.cat([shared[layout.group], part], dim=2) for shared, part in zip(asked[1:], own[1:], strict=True)]
        found.append(attend([own[0], *both], layout.answers, attn_mask=layout.visible))
    return torch.cat(found)[None], None


AttentionInterface.register(ATTENTION, shared_prompt_attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)


@contextmanager
def only_at(core: Qwen2_5_VLModel, places: torch.Tensor) -> Iterator[None]:
    """Within the context, `core` hands on the hidden states at `places` only."""

    def select(module, args, output):
        output.last_hidden_state = output.last_hidden_state[:, places]
        return output

    hook = core.register_forward_hook(select)
    try:
        yield
    finally:
        hook.remove()


def score(
    model: torch.nn.Module,
    core: Qwen2_5_VLModel,
    ids: torch.Tensor,
    mask: torch.Tensor,
    keep: int,
    images: list[torch.Tensor],
    grids: torch.Tensor,
    kinds: torch.Tensor,
    temperature: float,
    fused: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities and entropies [rows, keep] of the answers, zero behind their ends.

    Args:
        model: a policy with TRL's fused head. core: the Qwen2.5-VL in it.
        ids, mask: as for `pack`. images: pixels of each row. grids [rows, 3], kinds [rows, P + keep]: as the processor
            gives them (image_grid_thw, mm_token_type_ids).
        fused: take TRL's head, which goes through the vocabulary in chunks and never holds all logits (default: on a
            GPU). On a CPU plain logits are three times as fast for a small vocabulary, and after packing they are few.
    """
    fused = ids.is_cuda if fused is None else fused
    width = ids.shape[1] - keep
    groups = find_groups(ids[:, :width].tolist(), images, ids.device)
    first = groups.first
    positions, _ = core.get_rope_index(
        ids[first, :width], kinds[first, :width], grids[first], attention_mask=mask[first, :width]
    )
    row, places, layout = pack(ids, mask, positions, keep, groups)
    row["pixel_values"] = torch.cat([images[i] for i in first.tolist()])
    labels = row.pop("shift_labels")
    options = {"shift_labels": labels, "fused_lm_head": True} if fused else {"use_cache": False}
    core.language_model.config._attn_implementation = ATTENTION  # for good: checkpointing comes back in backward
    with only_at(core, places):
        out = model(**row, image_grid_thw=grids[first], layout=layout, **options)
    if fused:
        logps, entropies = out.log_probs[0], out.entropy[0]
    else:
        everything = (out.logits[0].float() / temperature).log_softmax(dim=-1)
        logps = everything.gather(1, labels.T)[:, 0]
        entropies = -(everything.detach().exp() * everything.detach()).sum(dim=-1)
    real = mask[:, width:].bool()
    empty = logps.new_zeros(real.shape)
    return empty.masked_scatter(real, logps), empty.masked_scatter(real, entropies)
