"""Sample G completions for each prompt, much faster than `generate` for one architecture.

transformers' `generate` serves every model and every option, and each step pays for it: wrappers around every layer, an
adapter beside every weight, a cache that is copied as it grows, prompts repeated G times. Here:

- each prompt is prefilled once, and its keys and values are shared by its G completions without a copy,
- memory for the completions' own keys and values is allocated once,
- layers with the same input are one matrix product, and LoRA is merged (float32) or runs beside them,
- groups whose completions have all ended leave the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import pad

from robotr1.training.grpo.packing.rows import Groups
from robotr1.training.grpo.rollout.decoder import Decoder
from robotr1.training.grpo.rollout.group_cache import Prompts, captured_step, decode_step, prefill
from robotr1.training.grpo.rollout.sampling import Sampling, sample_tokens

SHRINK_AT = 0.8  # finished groups leave when at most this share is unfinished; leaving copies the others' cache


@dataclass(frozen=True)
class Completions:
    """Token ids with their end, log-probabilities and entropies of each row; the G rows of a prompt are adjacent."""

    ids: list[list[int]]
    logps: torch.Tensor  # [rows, longest], zero after the end
    entropies: torch.Tensor

    def select(self, rows: torch.Tensor) -> "Completions":
        """These rows, in this order."""
        return Completions([self.ids[row] for row in rows.tolist()], self.logps[rows], self.entropies[rows])


def concatenate(parts: Sequence[Completions]) -> Completions:
    """All rows of `parts`."""
    longest = max(part.logps.shape[1] for part in parts)
    wide = ([pad(one, (0, longest - one.shape[1])) for one in (part.logps, part.entropies)] for part in parts)
    return Completions([row for part in parts for row in part.ids], *(torch.cat(one) for one in zip(*wide)))


@torch.no_grad()
def sample_rows(
    decoder: Decoder,
    core: torch.nn.Module,
    prompt_ids: Sequence[Sequence[int]],
    fields: dict[str, Any],
    groups: Groups,
    sampling: Sampling,
    rollout_batch: int = 0,
    graph: bool = False,
) -> Completions:
    """One completion per row, in the rows' order; prompts of similar length share a batch.

    Args:
        prompt_ids: token ids of each row. fields: pixel_values, image_grid_thw, mm_token_type_ids of the processor.
        groups: which rows share a prompt.
        rollout_batch: completions sampled together; 0: all.
        graph: replay each decoding step as a CUDA graph.
    """
    grids = torch.as_tensor(fields["image_grid_thw"])
    pixels = torch.as_tensor(fields["pixel_values"]).split(grids.prod(-1).tolist())
    device = core.get_input_embeddings().weight.device
    first, size = groups.first.tolist(), groups.size
    order = sorted(range(len(first)), key=lambda group: (len(prompt_ids[first[group]]), group))
    together = max(1, rollout_batch // size) if rollout_batch else len(order)
    parts = []
    for start in range(0, len(order), together):
        rows = [first[group] for group in order[start : start + together]]
        prompts = Prompts.build(
            core,
            [prompt_ids[row] for row in rows],
            [fields["mm_token_type_ids"][row] for row in rows],
            torch.cat([pixels[row] for row in rows]).to(device),
            grids[rows].to(device),
        )
        parts.append(sample_groups(decoder, prompts, size, sampling, graph))
    return concatenate(parts).select(torch.tensor(order).argsort()[groups.group] * size + groups.slot)


@torch.no_grad()
def sample_groups(
    decoder: Decoder, prompts: Prompts, size: int, sampling: Sampling, graph: bool = False
) -> Completions:
    """Sample `size` completions for each prompt; `graph` replays each step as a CUDA graph."""
    cache, logits = prefill(decoder, prompts, size, sampling.length - 1)
    logits = logits[:, None].expand(-1, size, -1)
    replay = captured_step(decoder, cache, size) if graph else None
    shape, device = (len(logits), size, sampling.length), logits.device
    tokens = torch.full(shape, sampling.pad, device=device)
    logps, entropies = torch.zeros(2, *shape, device=device)
    ends = torch.tensor(list(sampling.ends), device=device)
    for index in range(sampling.length):
        new, logp, entropy = (one.view(logits.shape[:2]) for one in sample_tokens(logits.flatten(0, 1), sampling))
        new = new.masked_fill(cache.done, sampling.pad)
        tokens[cache.groups, :, index] = new
        logps[cache.groups, :, index] = logp.masked_fill(cache.done, 0)
        entropies[cache.groups, :, index] = entropy.masked_fill(cache.done, 0)
        cache.done = cache.done | torch.isin(new, ends)
        unfinished = ~cache.done.all(dim=1)
        left = int(unfinished.sum())
        if left == 0 or index + 1 == sampling.length:
            break
        if replay is None and left <= SHRINK_AT * len(new):
            cache, new = cache.select(unfinished), new[unfinished]
        at = torch.full((1,), index, device=device)
        logits = replay(new, index) if replay else decode_step(decoder, cache, new, at, index + 1)
    tokens = tokens[..., : index + 1].flatten(0, 1)
    finished = torch.isin(tokens, ends)
    kept = finished.cumsum(dim=1) - finished.int() == 0  # an end token belongs to the completion
    rows = [row[keep].tolist() for row, keep in zip(tokens.cpu(), kept.cpu(), strict=True)]
    return Completions(rows, *(one[..., : index + 1].flatten(0, 1) for one in (logps, entropies)))
