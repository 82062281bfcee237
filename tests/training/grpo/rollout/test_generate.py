import dataclasses

import pytest
import torch
from adapted_trainer import adapted_trainer, of_three_lengths
from small_settings import GRPO
from trl import GRPOTrainer

from robotr1 import paths


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")


def make_trainer(base, questions, **changes):
    """A trainer on prompts of different lengths whose adapter changes what the model says."""
    return adapted_trainer(dataclasses.replace(GRPO, **changes), of_three_lengths(questions), base, "rollout", 0.2)


def sampled(trainer, prompts=5):
    """A scored batch, and TRL's own log-probabilities and entropies of its completions."""
    torch.manual_seed(0)
    rows = [trainer.train_dataset[i] for i in range(prompts) for _ in range(4)]
    batch = trainer._generate_and_score_completions(rows)
    with torch.no_grad():
        logps, entropies, _ = GRPOTrainer._get_per_token_logps_and_entropies(
            trainer,
            trainer.model,
            torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1),
            torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1),
            batch["completion_ids"].shape[1],
            compute_entropy=True,
            **{name: batch[name] for name in ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")},
        )
    mask = batch["completion_mask"]
    return batch, logps * mask, entropies * mask


CHANGES = {
    "all": {},
    "no shared prefill": {"speedups": ["lean_decoding"]},
    "in parts": {"rollout_batch": 8},
    "long enough to end": {"max_completion_length": 40},
    "temperature and top-p": {"temperature": 0.7, "top_p": 0.9},
    "layers as they are": {"dense_rollout": False},
    "nf4": {"quantization": "nf4"},
    "nf4, layers as they are": {"quantization": "nf4", "dense_rollout": False},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_rollout_probabilities_are_those_of_the_model(base, questions, changes):
    trainer = make_trainer(base, questions, **changes)
    batch, logps, entropies = sampled(trainer)
    tolerance = 0.05 if "quantization" in changes else 1e-4  # NF4: TRL keeps its adapters in bfloat16, on large logits
    torch.testing.assert_close(batch["rollout_logps"], logps, rtol=0, atol=tolerance)
    torch.testing.assert_close(batch["rollout_entropies"], entropies, rtol=0, atol=tolerance)
    assert len({tuple(row) for row in batch["completion_ids"].tolist()}) > 5


def test_shared_key_heads(grouped_heads, questions):
    batch, logps, _ = sampled(make_trainer(grouped_heads, questions))
    torch.testing.assert_close(batch["rollout_logps"], logps, rtol=0, atol=1e-4)


def test_nearly_cold_is_greedy(base, questions):
    trainer = make_trainer(base, questions, temperature=0.01)
    rows = [trainer.train_dataset[i] for i in range(6) for _ in range(4)]
    ours = trainer._generate_and_score_completions(rows)["completion_ids"]
    trainer.speedups = frozenset()
    trl = trainer._generate_and_score_completions(rows)["completion_ids"]
    assert torch.equal(ours, trl)


def test_completions_end_as_trl_says(base, questions):
    trainer = make_trainer(base, questions, max_completion_length=40)
    batch, _, _ = sampled(trainer)
    (end,) = trainer.eos_token_ids
    for ids, mask in zip(batch["completion_ids"].tolist(), batch["completion_mask"].tolist(), strict=True):
        row = ids[: sum(mask)]
        assert end not in row[:-1]
        assert row[-1] == end or len(row) == 40
        assert set(ids[sum(mask) :]) <= {trainer._tokenizer.pad_token_id}
        assert trainer.model.config.image_token_id not in row
