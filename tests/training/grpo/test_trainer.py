import dataclasses
import math

import pytest
import torch
from interrupted import MAKE_TRAINER, make_interrupted
from safetensors.torch import load_file
from small_settings import GRPO

from robotr1 import paths
from robotr1.policies.load import load_policy
from robotr1.records import read_objects
from robotr1.training.grpo import trainer as rl
from robotr1.training.grpo.groups import group_advantages
from robotr1.training.log import round_floats
from robotr1.training.rewards import accuracy_reward, format_reward


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def adapter(folder):
    return load_file(folder / "adapter_model.safetensors")


def test_every_adapter_weight_moves_and_nothing_else(base, questions):
    trainer = rl.make_trainer(dataclasses.replace(GRPO, steps=3), questions, base, "moves")
    before = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
    trainer.train()
    for name, value in trainer.model.named_parameters():
        assert torch.equal(value, before[name]) != value.requires_grad, name
        assert value.requires_grad == ("lora_" in name), name
        assert value.requires_grad <= ("language_model" in name), name


def test_a_run_writes_adapter_log_and_settings(base, questions, tmp_path, checkpoints):
    log = rl.train(GRPO, questions, base, tmp_path / "models/grpo")
    folder = tmp_path / "models/grpo"
    assert [entry for _, entry in read_objects(folder / "log.jsonl")] == [round_floats(entry) for entry in log]
    assert [entry["step"] for entry in log] == [1, 2, 3, 4]
    for entry in log:
        assert {"reward", "format", "accuracy", "length", "truncated", "entropy", "kl", "zero_std"} <= set(entry)
        assert entry["reward"] == pytest.approx(entry["format"] + entry["accuracy"])
        assert math.isfinite(entry["loss"])
    assert len(list(read_objects(checkpoints / "grpo/seconds.jsonl"))) == 4
    assert not list(checkpoints.glob("grpo/checkpoint-*"))
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "base.json",
        "log.jsonl",
        "settings.json",
    ]
    model, _ = load_policy(folder)
    assert any("lora" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_advantages_against_float64(base, questions, scale):
    trainer = rl.make_trainer(dataclasses.replace(GRPO, scale_rewards=scale), questions, base, "advantages")
    rows = [trainer.train_dataset[i] for i in range(4) for _ in range(GRPO.num_generations)]
    trainer.model.train()
    batch = trainer._generate_and_score_completions(rows)
    texts = trainer.processing_class.batch_decode(
        batch["completion_ids"].masked_fill(batch["completion_mask"] == 0, trainer._tokenizer.pad_token_id),
        skip_special_tokens=True,
    )
    answers = [row["answer"] for row in rows]
    rewards = [f + a for f, a in zip(format_reward(texts), accuracy_reward(texts, answer=answers), strict=True)]
    assert len(set(rewards)) > 1
    want = group_advantages(rewards, GRPO.num_generations, scale)
    assert batch["advantages"].tolist() == pytest.approx(want, abs=1e-4)


def test_interrupted_and_resumed_is_uninterrupted(base, questions, tmp_path, monkeypatch, checkpoints):
    whole = rl.train(GRPO, questions, base, tmp_path / "models/whole")
    monkeypatch.setattr(rl, "make_trainer", make_interrupted)
    with pytest.raises(KeyboardInterrupt):
        rl.train(GRPO, questions, base, tmp_path / "models/cut")
    assert not (tmp_path / "models/cut").exists()
    assert [folder.name for folder in checkpoints.glob("cut/checkpoint-*")] == ["checkpoint-2"]
    monkeypatch.setattr(rl, "make_trainer", MAKE_TRAINER)
    assert rl.train(GRPO, questions, base, tmp_path / "models/cut") == whole
    one, two = adapter(tmp_path / "models/whole"), adapter(tmp_path / "models/cut")
    for name in one:
        assert torch.equal(one[name], two[name]), name


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": "rloo"},
        {"algorithm": "reinforce_plus_plus", "beta": 0.0},
        {"updates_per_rollout": 2, "micro_batch": 4},
        {"micro_batch": 4},
        {"quantization": "nf4", "steps": 1},
    ],
    ids=["rloo", "reinforce_plus_plus", "reuse", "micro_batches", "nf4"],
)
def test_the_other_ways_to_train_run(base, questions, tmp_path, changes):
    settings = dataclasses.replace(GRPO, prompts_per_step=3, max_completion_length=12, **{"steps": 2, **changes})
    log = rl.train(settings, questions, base, tmp_path / "models/other")
    assert all(math.isfinite(entry["loss"]) for entry in log)
    assert any(entry["grad_norm"] > 0 for entry in log)


def test_reinforce_plus_plus_normalises_over_the_batch(base, questions):
    settings = dataclasses.replace(GRPO, algorithm="reinforce_plus_plus")
    trainer = rl.make_trainer(settings, questions, base, "batch")
    trainer.model.train()
    rows = [trainer.train_dataset[i] for i in range(4) for _ in range(4)]
    advantages = trainer._generate_and_score_completions(rows)["advantages"]
    assert advantages.mean().item() == pytest.approx(0, abs=1e-5)
    assert advantages.std().item() == pytest.approx(1, abs=1e-2)
    assert advantages.unique().numel() == trainer._rewards.sum(dim=1).unique().numel()


def test_learns_which_letter_pays(base, questions, tmp_path):
    always_b = [dataclasses.replace(question, answer="B") for question in questions]
    settings = dataclasses.replace(GRPO, steps=15, prompts_per_step=4, num_generations=6, beta=0.0)
    log = rl.train(settings, always_b, base, tmp_path / "models/b")
    assert log[0]["accuracy"] < 0.6
    assert sum(entry["accuracy"] for entry in log[-4:]) / 4 > 0.9


def test_too_few_questions(base, questions, tmp_path):
    with pytest.raises(ValueError, match="too few"):
        rl.train(dataclasses.replace(GRPO, prompts_per_step=50), questions, base, tmp_path / "models/few")
