"""Log-probabilities, losses and advantages against what numpy computes in float64, each row by itself."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from adapted_trainer import adapted_trainer, of_three_lengths
from small_settings import GRPO

from robotr1 import paths
from robotr1.training.grpo import trainer as rl

SETTINGS = dataclasses.replace(GRPO, beta=0.05, epsilon=0.1, epsilon_high=0.3)
ROWS = 16


@pytest.fixture(scope="module", autouse=True)
def checkpoints(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CHECKPOINTS", tmp_path_factory.mktemp("checkpoints"))
        yield


@pytest.fixture(scope="module")
def trainer(base, questions):
    return make_trainer(base, questions, SETTINGS)


def make_trainer(base, questions, settings):
    """Prompts of three lengths, and an adapter that is not zero."""
    trainer = adapted_trainer(settings, of_three_lengths(questions), base, "references", 0.05)
    trainer.current_gradient_accumulation_steps = 1
    return trainer


@pytest.fixture(scope="module")
def batch(trainer):
    torch.manual_seed(0)
    batch = trainer._generate_and_score_completions([trainer.train_dataset[i] for i in range(4) for _ in range(4)])
    assert len(batch["prompt_mask"].sum(1).unique()) == 3
    assert len(batch["completion_mask"].sum(1).unique()) > 1
    return batch


@pytest.fixture(scope="module")
def alone(trainer, batch):
    return rows_alone(copy.deepcopy(trainer.model).double(), batch)


@torch.no_grad()
def rows_alone(model, batch):
    """Log-probabilities [rows, T] in float64: each row by itself, without padding, logits over the whole sequence."""
    images = batch["pixel_values"].split(batch["image_grid_thw"].prod(-1).tolist())
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    real = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1).bool()
    found = np.zeros(batch["completion_ids"].shape)
    for row in range(ROWS):
        tokens = ids[row, real[row]][None]
        logits = model(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            pixel_values=images[row].double(),
            image_grid_thw=batch["image_grid_thw"][row : row + 1],
            mm_token_type_ids=batch["mm_token_type_ids"][row, real[row]][None],
        ).logits[0].numpy()  # fmt: skip
        logits -= logits.max(1, keepdims=True)
        logps = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        length = int(batch["completion_mask"][row].sum())
        places = np.arange(tokens.shape[1] - length, tokens.shape[1])
        found[row, :length] = logps[places - 1, tokens[0, places].numpy()]
    return found


def numbers(tensor):
    return tensor.detach().double().numpy()


@pytest.mark.parametrize("speedups", [[], GRPO.speedups], ids=["trl", "ours"])
def test_padded_completion_only_log_probabilities_are_those_of_whole_rows_alone(trainer, batch, alone, speedups):
    trainer.speedups = frozenset(speedups)
    images = {name: batch[name] for name in ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")}
    with torch.no_grad():
        logps, _, _ = trainer._get_per_token_logps_and_entropies(
            trainer.model,
            torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1),
            torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1),
            batch["completion_ids"].shape[1],
            **images,
        )
    np.testing.assert_allclose(numbers(logps * batch["completion_mask"]), alone, atol=1e-4)
    assert alone.min() < -1, "some tokens are unlikely"


def objective(logps, old, reference, advantages, mask, kind):
    """GRPO's clipped objective with a KL term (DeepSeekMath eq. 3 and 4; DAPO's and Dr. GRPO's ways to average)."""
    ratio = np.exp(logps - old)
    clipped = ratio.clip(1 - SETTINGS.epsilon, 1 + SETTINGS.epsilon_high)
    assert ((ratio != clipped) * mask).sum() > 10, "some tokens are clipped"
    kl = np.exp(reference - logps) - (reference - logps) - 1
    tokens = -np.minimum(ratio * advantages[:, None], clipped * advantages[:, None]) + SETTINGS.beta * kl
    total = (tokens * mask).sum()
    return {
        "grpo": ((tokens * mask).sum(1) / mask.sum(1)).mean(),
        "dr_grpo": total / (len(mask) * SETTINGS.max_completion_length),
        "dapo": total / mask.sum(),
        "bnpo": total / mask.sum(),
    }[kind]


@pytest.mark.parametrize("speedups", [[], GRPO.speedups], ids=["trl", "ours"])
@pytest.mark.parametrize("kind", ["grpo", "dr_grpo", "dapo", "bnpo"])
def test_losses(trainer, batch, alone, kind, speedups):
    rng = np.random.default_rng(0)
    mask = numbers(batch["completion_mask"])
    old, reference = (alone + 0.3 * rng.normal(size=alone.shape) for _ in range(2))
    advantages = rng.normal(size=ROWS)
    given = {"old_per_token_logps": old, "ref_per_token_logps": reference, "advantages": advantages}
    trainer.loss_type, trainer.speedups = kind, frozenset(speedups)
    with torch.no_grad():
        loss = trainer._compute_loss(
            trainer.model, batch | {name: torch.tensor(value, dtype=torch.float32) for name, value in given.items()}
        )
    assert loss.item() == pytest.approx(objective(alone, old, reference, advantages, mask, kind), rel=1e-4, abs=1e-5)


def leave_one_out(groups):
    """RLOO: the reward minus the mean of the others' rewards in its group."""
    return groups - (groups.sum(1, keepdims=True) - groups) / (groups.shape[1] - 1)


def over_the_batch(groups):
    """REINFORCE++: the reward, normalised over all rewards of the batch."""
    return (groups - groups.mean()) / (groups.std(ddof=1) + 1e-4)


def within_groups(groups):
    """GRPO: the reward, normalised within its group."""
    return (groups - groups.mean(1, keepdims=True)) / (groups.std(1, ddof=1, keepdims=True) + 1e-4)


@pytest.mark.parametrize(
    ("algorithm", "reference"),
    [("grpo", within_groups), ("rloo", leave_one_out), ("reinforce_plus_plus", over_the_batch)],
)
def test_advantages(base, questions, algorithm, reference):
    trainer = rl.make_trainer(dataclasses.replace(GRPO, algorithm=algorithm, beta=0.0), questions, base, algorithm)
    rewards = np.array([[2, 1, 1, 0], [1, 1, 1, 1], [0, 0, 2, 0], [2, 2, 2, 1]], dtype=float)
    for i, name in enumerate(("form", "right")):  # two rewards, which TRL adds up
        trainer.reward_func_names[i] = name
        trainer.reward_funcs[i] = lambda completions, level=i, **columns: list((rewards.ravel() > level).astype(float))
    trainer.model.train()
    batch = trainer._generate_and_score_completions([trainer.train_dataset[i] for i in range(4) for _ in range(4)])
    np.testing.assert_allclose(numbers(batch["advantages"]), reference(rewards).ravel(), atol=1e-5)


@pytest.mark.parametrize("speedups", [[], GRPO.speedups], ids=["trl", "ours"])
def test_the_kl_of_reinforce_plus_plus_is_in_the_reward(base, questions, speedups):
    beta = 20.0
    settings = dataclasses.replace(SETTINGS, algorithm="reinforce_plus_plus", beta=beta, speedups=speedups)
    trainer = make_trainer(base, questions, settings)
    torch.manual_seed(0)
    batch = trainer._generate_and_score_completions([trainer.train_dataset[i] for i in range(4) for _ in range(4)])
    policy = rows_alone(copy.deepcopy(trainer.model).double(), batch)
    with trainer.model.disable_adapter():
        kl = (policy - rows_alone(copy.deepcopy(trainer.model).double(), batch)).sum(1)
    rewards = numbers(trainer._rewards.sum(1))
    advantages = over_the_batch(rewards - beta * kl)
    assert np.abs(advantages - over_the_batch(rewards)).max() > 0.05, "the KL matters"
    np.testing.assert_allclose(numbers(batch["advantages"]), advantages, atol=1e-2)
    tokens = batch["completion_mask"].sum().item()
    assert trainer._metrics["train"]["kl"][-1] == pytest.approx(kl.sum() / tokens, abs=1e-4)
    elsewhere = {**batch, "ref_per_token_logps": batch["ref_per_token_logps"] + 1}
    with torch.no_grad():
        losses = [trainer._compute_loss(trainer.model, one).item() for one in (batch, elsewhere)]
    assert losses[0] == losses[1], "the loss has no KL term"
