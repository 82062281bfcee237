"""Sample the next token as transformers does: temperature, then top-p, then a draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import TopPLogitsWarper


@dataclass(frozen=True)
class Sampling:
    """How completions are sampled: at most `length` tokens; `ends`, `suppressed` and `pad` are token ids."""

    length: int
    temperature: float
    top_p: float
    ends: Sequence[int]
    suppressed: Sequence[int]
    pad: int


def sample_tokens(logits: torch.Tensor, sampling: Sampling) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sample from logits [rows, V]: tokens, their log-probabilities and the entropies, each [rows].

    Log-probabilities and entropies are those of the loss: with temperature, before suppressed tokens and top-p. Each
    row draws one uniform number, looked up in the cumulative distribution.
    """
    logits = logits.float() / sampling.temperature
    logps = logits.log_softmax(dim=-1)
    probabilities = logps.exp()
    entropies = -(probabilities * logps).sum(dim=-1)
    if sampling.top_p < 1:
        suppressed = torch.tensor(sampling.suppressed, dtype=torch.long, device=logits.device)
        allowed = logits.index_fill(1, suppressed, -torch.inf)
        probabilities = TopPLogitsWarper(sampling.top_p)(None, allowed).softmax(dim=-1)
    else:
        probabilities[:, list(sampling.suppressed)] = 0
    cumulative = probabilities.cumsum(dim=-1)
    below_one = torch.rand(len(logits), 1, device=logits.device) * (1 - 1e-6)
    tokens = torch.searchsorted(cumulative, below_one * cumulative[:, -1:], right=True)
    return tokens[:, 0], logps.gather(1, tokens)[:, 0], entropies
