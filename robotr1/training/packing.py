"""Score a group's answers in one row: the prompt, which they share, goes through the language model once.

TRL computes the probabilities of G answers to one question from G rows of prompt and answer, so the prompt with all
its image tokens is computed G times over. Here the answers stand behind one copy of the prompt, and an attention mask
keeps each from seeing the others:

    row      prompt without its last token | last, a1 a2 … | last, b1 b2 … | …
    sees     prompt                        | prompt, a     | prompt, b     | …

Each answer's block starts with the prompt's last token again, since that token predicts the answer's first. Positions
(Qwen's three-dimensional ones) are those of the unpacked rows. The numbers are the same up to rounding; a step of the
tiny policy takes about half the time.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import torch
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel


@dataclass(frozen=True)
class Groups:
    """Rows that share prompt and image. `first` [N]: a row of each group; `group`, `slot` [rows]: where a row went."""

    first: torch.Tensor
    group: torch.Tensor
    slot: torch.Tensor

    @property
    def size(self) -> int:
        return int(self.slot.max()) + 1


def find_groups(prompts: torch.Tensor, images: list[torch.Tensor]) -> Groups:
    """Group the rows of `prompts` [rows, P] whose tokens and whose `images` (one tensor a row) are equal."""
    first, group, slot = [], [], []
    candidates: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for row, prompt in enumerate(prompts.tolist()):
        known = candidates[tuple(prompt)]
        found = next((g for g in known if torch.equal(images[first[g]], images[row])), None)
        if found is None:
            found = len(first)
            first.append(row)
            known.append(found)
        group.append(found)
        slot.append(group[:-1].count(found))
    return Groups(*(torch.tensor(values, device=prompts.device) for values in (first, group, slot)))


def pack(ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, keep: int, groups: Groups) -> dict[str, Any]:
    """Rows of prompt and answer → one row a group, as arguments for the model.

    Args:
        ids, mask: [rows, P + keep]; prompts padded on the left, the `keep` answer tokens on the right.
        positions: [3, N, P] of each group's prompt.

    Returns input_ids, shift_labels [N, L], attention_mask [N, 1, L, L] and position_ids [3, N, L], where
    L = P - 1 + size * keep.
    """
    count, size, prompt = len(groups.first), groups.size, ids.shape[1] - keep
    shared = prompt - 1
    length = shared + size * keep
    packed = ids.new_zeros(count, size, keep)
    packed[groups.group, groups.slot] = ids[:, shared:-1]
    real = mask.new_zeros(count, size, keep)
    real[groups.group, groups.slot] = mask[:, shared:-1]
    labels = ids.new_full((count, size, keep), -100)
    labels[groups.group, groups.slot] = ids[:, prompt:].masked_fill(mask[:, prompt:] == 0, -100)

    block = torch.arange(length, device=ids.device).sub(shared).div(keep, rounding_mode="floor").clamp(min=-1)
    causal = torch.ones(length, length, dtype=torch.bool, device=ids.device).tril()
    allowed = causal & ((block[:, None] == block) | (block == -1))
    seen = torch.cat([mask[groups.first, :shared], real.flatten(1)], dim=1).bool()
    itself = torch.eye(length, dtype=torch.bool, device=ids.device)  # a row that sees nothing would become nan
    onwards = positions[:, :, -1:] + torch.arange(keep, device=ids.device)
    return {
        "input_ids": torch.cat([ids[groups.first, :shared], packed.flatten(1)], dim=1),
        "attention_mask": ((allowed & seen[:, None, :]) | itself)[:, None],
        "position_ids": torch.cat([positions[:, :, :-1], onwards.repeat(1, 1, size)], dim=2),
        "shift_labels": torch.cat([labels.new_full((count, shared), -100), labels.flatten(1)], dim=1),
    }


def unpack(values: torch.Tensor, keep: int, groups: Groups) -> torch.Tensor:
    """[N, L] of packed rows → [rows, keep] in the order of the rows."""
    answers = values[:, values.shape[1] - groups.size * keep :]
    return answers.view(len(groups.first), groups.size, keep)[groups.group, groups.slot]


class SharedPrompts:
    """Mixin for TRL's GRPO and RLOO trainers (1.16): log-probabilities and entropies from packed rows.

    Steps aside (TRL's own way is used) for other models, other attention than sdpa, rows without exactly one image, and
    answers longer than their prompt, where the larger attention would cost more than the shared prompt saves.
    """

    def _get_per_token_logps_and_entropies(
        self, model, input_ids, attention_mask, logits_to_keep, batch_size=None, compute_entropy=False, **options
    ):
        core = next((module for module in model.modules() if isinstance(module, Qwen2_5_VLModel)), None)
        fits = (
            core is not None
            and core.config.get_text_config()._attn_implementation == "sdpa"
            and options.get("pixel_values") is not None
            and set(options.get("num_images") or [0]) == {1}
            and logits_to_keep < input_ids.shape[1] - logits_to_keep
        )
        if not fits:
            return super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, batch_size, compute_entropy, **options
            )
        grids = options["image_grid_thw"]
        images = options["pixel_values"].split(grids.prod(-1).tolist())
        kinds = options["mm_token_type_ids"]
        logps, entropies = [], []
        for rows in torch.arange(len(input_ids)).split(batch_size or len(input_ids)):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            ids, mask = input_ids[part], attention_mask[part]
            prompt = ids.shape[1] - logits_to_keep
            groups = find_groups(ids[:, :prompt], images[part])
            first = groups.first
            positions, _ = core.get_rope_index(
                ids[first, :prompt],
                kinds[part][first, :prompt],
                grids[part][first],
                attention_mask=mask[first, :prompt],
            )
            packed = pack(ids, mask, positions, logits_to_keep, groups)
            packed["pixel_values"] = torch.cat([images[part][row] for row in first.tolist()])
            packed["image_grid_thw"] = grids[part][first]
            with self.accelerator.autocast():
                out = model(**packed, labels=None, fused_lm_head=True)
            logps.append(unpack(out.log_probs, logits_to_keep, groups))
            entropies.append(unpack(out.entropy, logits_to_keep, groups) if compute_entropy else None)
        return torch.cat(logps), torch.cat(entropies) if compute_entropy else None, None
