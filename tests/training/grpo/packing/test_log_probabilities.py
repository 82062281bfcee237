import dataclasses

import pytest
import torch
from adapted_trainer import adapted_trainer, of_three_lengths
from small_settings import GRPO
from trl import GRPOTrainer

from robotr1 import paths
from robotr1.policies.load import language_core
from robotr1.training.grpo.packing.attention import ATTENTION

FIELDS = ("pixel_values", "image_grid_thw", "mm_token_type_ids")


def make_trainer(base, questions, **changes):
    return adapted_trainer(dataclasses.replace(GRPO, **changes), of_three_lengths(questions), base, "packing", 0.05)


def completions(trainer):
    """Completions to four questions, rows in random order, one row missing."""
    out = trainer._generate_and_score_completions([trainer.train_dataset[i] for i in range(4) for _ in range(4)])
    images = out["pixel_values"].split(out["image_grid_thw"].prod(-1).tolist())
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))[:15]
    return {
        "input_ids": torch.cat([out["prompt_ids"], out["completion_ids"]], dim=1)[order],
        "attention_mask": torch.cat([out["prompt_mask"], out["completion_mask"]], dim=1)[order],
        "logits_to_keep": out["completion_ids"].shape[1],
        "pixel_values": torch.cat([images[i] for i in order]),
        "image_grid_thw": out["image_grid_thw"][order],
        "num_images": [1] * 15,
        "mm_token_type_ids": out["mm_token_type_ids"][order],
    }


@pytest.fixture(scope="module", autouse=True)
def checkpoints(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CHECKPOINTS", tmp_path_factory.mktemp("checkpoints"))
        yield


@pytest.fixture(scope="module")
def trainer(base, questions):
    return make_trainer(base, questions)


@pytest.fixture(scope="module")
def batch(trainer):
    return completions(trainer)


def compare(trainer, batch, chunk=None):
    """TRL's numbers and ours: log-probabilities, entropies, gradients of a weighted sum."""
    mask = batch["attention_mask"][:, -batch["logits_to_keep"] :]
    weights = torch.linspace(-1, 1, len(mask))[:, None] * mask
    found = []
    for score in (GRPOTrainer._get_per_token_logps_and_entropies, type(trainer)._get_per_token_logps_and_entropies):
        trainer.model.zero_grad()
        logps, entropies, _ = score(trainer, trainer.model, batch_size=chunk, compute_entropy=True, **batch)
        (logps * weights).sum().backward()
        gradients = [p.grad.float() for p in trainer.model.parameters() if p.grad is not None]
        found.append((logps.detach() * mask, entropies.detach() * mask, gradients))
    return found


def assert_same(found):
    (logps, entropies, gradients), (ours, our_entropies, our_gradients) = found
    torch.testing.assert_close(ours, logps, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(our_entropies, entropies, rtol=1e-4, atol=1e-4)
    for one, other in zip(our_gradients, gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("chunk", [None, 6])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_same_numbers_and_gradients_as_trl(base, questions, batch, chunk, fused, temperature):
    trainer = make_trainer(base, questions, temperature=temperature)
    trainer.fused_head = fused
    assert_same(compare(trainer, batch, chunk))


def test_same_with_gradient_checkpointing(base, questions, batch):
    trainer = make_trainer(base, questions)
    trainer.model.get_base_model().gradient_checkpointing_enable({"use_reentrant": False})
    assert all(layer.gradient_checkpointing for layer in language_core(trainer.model).language_model.layers)
    assert_same(compare(trainer, batch))


def test_same_with_shared_key_heads(grouped_heads, questions):
    trainer = make_trainer(grouped_heads, questions)
    assert_same(compare(trainer, completions(trainer)))


def test_same_with_nf4(base, questions, batch):
    trainer = make_trainer(base, questions, quantization="nf4")
    (logps, entropies, gradients), (ours, our_entropies, our_gradients) = compare(trainer, batch)
    torch.testing.assert_close(ours, logps, rtol=0, atol=0.02)
    torch.testing.assert_close(our_entropies, entropies, rtol=0, atol=0.02)
    for one, other in zip(our_gradients, gradients, strict=True):  # adapters and their gradients are bfloat16
        assert torch.cosine_similarity(one.flatten(), other.flatten(), dim=0) > 0.99


def test_every_real_token_is_computed_once_and_only_predictors_are_returned(trainer, batch):
    core, seen, scored = language_core(trainer.model), [], []
    hooks = [
        core.language_model.register_forward_hook(lambda *args: seen.append(args[2].last_hidden_state.shape[:2])),
        core.register_forward_hook(lambda *args: scored.append(args[2].last_hidden_state.shape[1])),
    ]
    logps, _, _ = trainer._get_per_token_logps_and_entropies(trainer.model, **batch)
    for hook in hooks:
        hook.remove()
    keep = batch["logits_to_keep"]
    prompts = {tuple(row) for row in batch["input_ids"][:, :-keep].tolist()}
    pad = trainer._tokenizer.pad_token_id
    answers = batch["attention_mask"][:, -keep:].sum(1)
    assert seen == [(1, sum(token != pad for row in prompts for token in row) + int((answers - 1).sum()))]
    assert scored == [seen[0][1]]  # the hook that selects runs after this one
    assert int((logps != 0).sum()) == int(answers.sum())
    assert core.language_model.config._attn_implementation == ATTENTION
    assert not core._forward_hooks
