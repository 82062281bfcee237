import numpy as np
import pytest
import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from robotr1.training.grpo.rollout.sampling import Sampling, sample_tokens


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.6, 1.0), (1.0, 0.8), (1.5, 0.5)])
def test_the_distribution_is_that_of_transformers(temperature, top_p):
    logits = torch.randn(1, 12, generator=torch.Generator().manual_seed(3)) * 2
    suppressed = [int(logits.argmax())]
    allowed = logits.index_fill(1, torch.tensor(suppressed), -torch.inf)
    warpers = LogitsProcessorList([TemperatureLogitsWarper(temperature), TopPLogitsWarper(top_p)])
    expected = warpers(None, allowed).softmax(dim=-1)[0].double().numpy()
    torch.manual_seed(0)
    draws = 40_000
    sampling = Sampling(length=1, temperature=temperature, top_p=top_p, ends=[0], suppressed=suppressed, pad=0)
    tokens, logps, entropies = sample_tokens(logits.expand(draws, -1), sampling)
    share = np.bincount(tokens.numpy(), minlength=12) / draws
    assert (share[expected == 0] == 0).all()
    spread = np.sqrt(expected * (1 - expected) / draws)
    assert (np.abs(share - expected) <= 4.5 * spread + 1e-12).all()
    plain = (logits / temperature).log_softmax(dim=-1)
    torch.testing.assert_close(logps, plain[0, tokens])
    torch.testing.assert_close(entropies[0], -(plain.exp() * plain).sum())
