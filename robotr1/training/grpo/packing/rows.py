"""Pack prompts and completions into one row of tokens: each prompt once, followed by its completions, no padding.

TRL computes the log-probabilities of G completions from G padded rows of prompt and completion, so a prompt with all
its image tokens goes through the language model G times. Here every real token goes through once:

    one row   prompt 1 | prompt 2 | … | completion 1a | completion 1b | … | completion 2a | …
    attends   itself   | itself   |     prompt 1, itself …                  prompt 2, itself

Linear layers, norms and MLPs work token by token, so the packing does not affect them. Attention gets the layout
(`packed_attention`). Positions (Qwen's three-dimensional ones) are those of the unpacked rows. A prompt's last token
predicts the first token of all its completions.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Groups:
    """Rows that share prompt and image. `first` [N]: one row of each group; `group`, `slot` [rows]: where a row is."""

    first: torch.Tensor
    group: torch.Tensor
    slot: torch.Tensor

    @property
    def size(self) -> int:
        return int(self.slot.max()) + 1

    @classmethod
    def of_single_rows(cls, rows: int) -> "Groups":
        """Each row is a group of its own."""
        every = torch.arange(rows)
        return cls(every, every, torch.zeros_like(every))


def find_groups(prompts: list[list[int]], images: list[torch.Tensor], device: Any = None) -> Groups:
    """Group the rows whose `prompts` (token ids) and whose `images` (one tensor per row) are equal."""
    first, group, slot = [], [], []
    candidates: dict[tuple[int, ...], list[int]] = defaultdict(list)
    members: dict[int, int] = defaultdict(int)
    for row, prompt in enumerate(prompts):
        known = candidates[tuple(prompt)]
        index = next((g for g in known if torch.equal(images[first[g]], images[row])), None)
        if index is None:
            index = len(first)
            first.append(row)
            known.append(index)
        group.append(index)
        slot.append(members[index])
        members[index] += 1
    return Groups(*(torch.tensor(values, device=device) for values in (first, group, slot)))


@dataclass(frozen=True)
class Layout:
    """Where each token of the packed row belongs.

    `prompts`, `completions`: index of every token in a padded grid [N, P] and [rows, A], flattened; `shape`: (N, P,
    rows, A); `group` [rows]: the prompt of each completion; `visible` [rows, 1, A, P + A]: what its tokens attend to.
    """

    prompts: torch.Tensor
    completions: torch.Tensor
    shape: tuple[int, int, int, int]
    group: torch.Tensor
    visible: torch.Tensor


def pack(
    ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, keep: int, groups: Groups
) -> tuple[dict[str, torch.Tensor], torch.Tensor, Layout]:
    """Padded rows of prompt and completion → one row without padding.

    Args:
        ids, mask: [rows, P + keep]; prompts padded on the left, the `keep` completion tokens on the right.
        positions: [3, N, P] of each group's prompt.

    Returns input_ids [1, T], position_ids [3, 1, T] and shift_labels [1, S] for the model, the indices [S] in the row
    that predict the S real completion tokens, and the layout.
    """
    width, device = ids.shape[1] - keep, ids.device
    in_prompt, real = mask[groups.first, :width].bool(), mask[:, width:].bool()
    inputs = real[:, 1:]  # a completion's last token predicts nothing, so it is no input
    lengths, count = in_prompt.sum(1), int(in_prompt.sum())
    grid = torch.arange(int(lengths.max()), device=device) < lengths[:, None]

    own_positions = positions[:, :, -1:][:, groups.group] + 1 + torch.arange(inputs.shape[1], device=device)
    row = {
        "input_ids": torch.cat([ids[groups.first, :width][in_prompt], ids[:, width:-1][inputs]])[None],
        "position_ids": torch.cat([positions[:, in_prompt], own_positions[:, inputs]], dim=1)[:, None],
        "shift_labels": ids[:, width:][real][None],
    }
    last = (lengths.cumsum(0) - 1)[groups.group, None]
    later = count - 1 + inputs.flatten().cumsum(0).view(inputs.shape)
    causal = torch.ones(inputs.shape[1], inputs.shape[1], dtype=torch.bool, device=device).tril()
    layout = Layout(
        prompts=grid.flatten().nonzero().squeeze(1),
        completions=inputs.flatten().nonzero().squeeze(1),
        shape=(*grid.shape, *inputs.shape),
        group=groups.group,
        visible=torch.cat(
            [grid[groups.group, None].expand(-1, len(causal), -1), causal.expand(len(inputs), -1, -1)], dim=2
        )[:, None],
    )
    return row, torch.cat([last, later], dim=1)[real], layout
