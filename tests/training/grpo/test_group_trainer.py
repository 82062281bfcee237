import dataclasses

import pytest
import torch
from adapted_trainer import adapted_trainer
from small_settings import GRPO
from trl import GRPOTrainer, RLOOTrainer

from robotr1 import paths
from robotr1.policies.adapters import lora_config
from robotr1.policies.load import load_model
from robotr1.policies.processor import load_processor
from robotr1.training.grpo import trainer as rl
from robotr1.training.grpo.config import rl_config
from robotr1.training.grpo.inputs import question_dataset
from robotr1.training.rewards import REWARDS

ALL = GRPO.speedups
PLAIN = {"grpo": GRPOTrainer, "rloo": RLOOTrainer}


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")


def make_trainer(base, questions, **changes):
    return adapted_trainer(dataclasses.replace(GRPO, **changes), questions, base, "group", 0.02)


def trl_trainer(base, questions, settings):
    return PLAIN[settings.algorithm](
        model=load_model(base),
        reward_funcs=list(REWARDS["mcqa"]),
        args=rl_config(settings, "plain"),
        train_dataset=question_dataset("mcqa", questions),
        processing_class=load_processor(base),
        peft_config=lora_config(settings.lora_rank, settings.lora_alpha),
    )


def update(trainer, batch):
    """Loss, logged entropy and gradients of one update on fixed completions."""
    trainer.model.zero_grad()
    trainer.current_gradient_accumulation_steps = 1
    loss = trainer._compute_loss(trainer.model, batch)
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in trainer.model.named_parameters() if p.requires_grad}
    return loss.item(), trainer._metrics["train"]["entropy"][-1], gradients


def with_zero_std_groups(batch):
    """The batch with two of its four groups made zero-std."""
    advantages = batch["advantages"].clone()
    advantages[4:12] = 0
    advantages[:4], advantages[12:] = torch.tensor([1.5, -0.5, -0.5, -0.5]), torch.tensor([-1.0, 1.0, 1.0, -1.0])
    return {**batch, "advantages": advantages}


@pytest.mark.parametrize(
    "changes",
    [
        {"beta": 0.0},
        {"beta": 0.05},
        *({"beta": 0.0, "loss_type": kind} for kind in ("dr_grpo", "dapo", "bnpo")),
        {"algorithm": "rloo", "beta": 0.0},
        {"num_iterations": 2, "beta": 0.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("speedups", [["shared_prompts"], ["shared_prompts", "skip_zero_std"], ALL], ids=len)
def test_losses_and_gradients_are_those_of_trl(base, questions, changes, speedups):
    trainer = make_trainer(base, questions, speedups=ALL, **changes)
    rows = [trainer.train_dataset[i] for i in range(4) for _ in range(4)]
    batch = with_zero_std_groups(trainer._generate_and_score_completions(rows))
    trainer.speedups = frozenset()
    want_loss, want_entropy, want = update(trainer, batch)
    trainer.speedups = frozenset(speedups)
    loss, entropy, gradients = update(trainer, batch)
    assert loss == pytest.approx(want_loss, abs=1e-5)
    assert entropy == pytest.approx(want_entropy, abs=1e-4)
    largest = max(gradient.abs().max() for gradient in want.values())
    assert largest > 1e-4
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, want[name], rtol=1e-3, atol=1e-4 * float(largest), msg=name)


def test_zero_std_groups_are_not_computed(base, questions):
    trainer = make_trainer(base, questions, beta=0.0)
    rows = [trainer.train_dataset[i] for i in range(4) for _ in range(4)]
    batch = trainer._generate_and_score_completions(rows)
    widths = []
    trainer.model.get_base_model().model.language_model.register_forward_hook(
        lambda *args: widths.append(args[2].last_hidden_state.shape[1])
    )
    for rows in (0, 8, 16):
        advantages = torch.ones(16).index_fill(0, torch.arange(rows), 0)
        loss, _, gradients = update(trainer, {**batch, "advantages": advantages})
    assert widths[1] < 0.6 * widths[0]
    assert widths[2] < 0.3 * widths[0]
    assert loss == 0
    assert all((gradient == 0).all() for gradient in gradients.values())


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_without_speedups_a_run_is_trls_own(base, questions, algorithm):
    settings = dataclasses.replace(GRPO, algorithm=algorithm, speedups=[], steps=2)
    ours, plain = rl.make_trainer(settings, questions, base, "off"), trl_trainer(base, questions, settings)
    ours._prepare_inputs = lambda batch: PLAIN[algorithm]._prepare_inputs(ours, batch)  # TRL also shuffles the rows
    for trainer in (plain, ours):
        torch.manual_seed(0)
        trainer.train()
    for (name, one), (_, other) in zip(ours.model.named_parameters(), plain.model.named_parameters(), strict=True):
        assert torch.equal(one, other), name
    assert ours.state.log_history[0]["reward"] == plain.state.log_history[0]["reward"]


def test_shared_processing_gives_the_inputs_of_trl(base, questions):
    trainer = make_trainer(base, questions)
    rows = [trainer.train_dataset[i] for i in (0, 4, 5) for _ in range(4)]
    both = []
    for speedups in ([], ["shared_processing"]):
        trainer.speedups = frozenset(speedups)
        torch.manual_seed(0)
        both.append(trainer._generate_and_score_completions(rows))
    for name in ("prompt_ids", "completion_ids", "pixel_values", "image_grid_thw", "mm_token_type_ids"):
        assert torch.equal(both[0][name], both[1][name]), name
    assert both[0]["num_images"] == both[1]["num_images"]


@pytest.mark.parametrize("changes", [{"micro_batch": 4}, {"micro_batch": 8, "updates_per_rollout": 2}], ids=str)
def test_groups_stay_whole_in_micro_batches(base, questions, changes):
    trainer = make_trainer(base, questions, **changes)
    size, prompts = changes["micro_batch"], 4 * changes.get("updates_per_rollout", 1)
    trainer._prepare_inputs([trainer.train_dataset[i] for i in range(prompts) for _ in range(4)])
    assert len(trainer._buffered_inputs) == 4 * prompts // size
    for batch in trainer._buffered_inputs:
        assert len(batch["prompt_ids"]) == len(batch["image_grid_thw"]) == size
        assert len(batch["prompt_ids"].unique(dim=0)) == size // 4
        assert len(batch["pixel_values"]) == batch["image_grid_thw"].prod(-1).sum()


def test_a_rollout_is_sampled_before_its_first_update(base, questions):
    trainer = make_trainer(base, questions, micro_batch=4, steps=2)
    calls, sample = [], trainer.sample
    trainer.sample = lambda model, core, ids, fields: calls.append(len(ids)) or sample(model, core, ids, fields)
    trainer.train()
    assert calls == [16, 16]


def test_the_image_cache_needs_a_frozen_vision_tower(base, questions):
    trainer = make_trainer(base, questions)
    with rl.image_cache(trainer):
        pass
    next(trainer.model.get_base_model().model.visual.parameters()).requires_grad_(True)
    with pytest.raises(ValueError, match="vision tower"), rl.image_cache(trainer):
        pass


def test_both_learn_the_same(base, questions):
    """Three seeds with all speed-ups and three without: the same task is learned in the same number of steps."""
    always_b = [dataclasses.replace(question, answer="B") for question in questions]
    curves = {}
    for name, speedups in {"trl": [], "ours": ALL}.items():
        for seed in range(3):
            settings = dataclasses.replace(
                GRPO, steps=10, num_generations=6, beta=0.0, seed=seed, speedups=speedups, max_completion_length=16
            )
            trainer = rl.make_trainer(settings, always_b, base, f"{name}-{seed}")
            trainer.train()
            log = [entry["rewards/accuracy_reward/mean"] for entry in trainer.state.log_history if "loss" in entry]
            curves.setdefault(name, []).append(log)
    trl, ours = (torch.tensor(curves[name]) for name in ("trl", "ours"))
    assert trl[:, :2].mean() < 0.6
    assert ours[:, :2].mean() < 0.6
    assert trl[:, -3:].mean() > 0.8
    assert ours[:, -3:].mean() > 0.8
    assert abs(float(trl.mean() - ours.mean())) < 0.1
