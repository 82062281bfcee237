from contextlib import suppress
from dataclasses import replace

import pytest
import torch

from robotr1.policies import tiny
from robotr1.training.pretrain.vision import MODULES, VisionRecipe, VisionTraining, train_vision
from robotr1.training.pretrain.vision_errors import load_tower, mean_errors, save_tower, snapshot_errors

RECIPE = VisionRecipe(cut_steps=3, steps=5, batch_size=4, cut_batch_size=4, warmup=2, bf16=False)


@pytest.fixture(scope="module")
def trained(tokenizer, snapshots, tmp_path_factory):
    """A training of 70 steps, and its log."""
    recipe = replace(RECIPE, cut_steps=10, steps=60, batch_size=12, cut_batch_size=12, warmup=5)
    training, rows = VisionTraining(tiny.build_model(tokenizer).model.visual, recipe), []
    state = tmp_path_factory.mktemp("vision") / "state.pt"

    def measure(now):
        return mean_errors(now, snapshots)

    train_vision(training, snapshots, state, lambda **row: rows.append(row), measure, every=10)
    return training, rows


def test_training_lowers_every_error(trained):
    _, rows = trained
    last = rows[-1]
    assert last["step"] == 70
    assert last["gripper_error_cm"] < 5 and last["object_error_cm"] < 5
    assert last["open_accuracy"] == last["held_accuracy"] == last["cut_open_accuracy"] == 1
    assert last["cut_tip_error_px"] < rows[0]["cut_tip_error_px"]
    assert "gripper_error_cm" not in rows[0]  # among the cuts


def test_the_saved_tower_has_16_bits_and_the_same_errors(trained, snapshots, tokenizer, tmp_path):
    training, _ = trained
    before = mean_errors(training, snapshots)
    save_tower(tmp_path, training, snapshots, {"machine": "here"})
    other = tiny.build_model(tokenizer, seed=5).model.visual
    load_tower(tmp_path, other)
    for name, value in training.visual.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
    size = (tmp_path / "tower.safetensors").stat().st_size
    assert size == pytest.approx(2 * sum(value.numel() for value in other.state_dict().values()), rel=0.02)
    assert mean_errors(training, snapshots) == pytest.approx(before, abs=0.1)


def test_errors_are_known_by_snapshot(trained, snapshots):
    errors = snapshot_errors(trained[0], snapshots, block=7)
    assert list(errors["task"]) == list(snapshots["task"])
    assert errors["gripper_error_cm"].between(0, 20).all()
    assert errors["open_accuracy"].isin([0, 1]).all()
    assert errors.drop(columns="task").mean().to_dict() == pytest.approx(mean_errors(trained[0], snapshots))


@pytest.mark.parametrize("stop", [2, 5])
def test_a_resumed_run_equals_an_uninterrupted_one(tokenizer, snapshots, tmp_path, stop):
    """Stopped among the cuts, and among the whole images."""

    def run(name: str, steps: int | None) -> VisionTraining:
        training = VisionTraining(tiny.build_model(tokenizer).model.visual, RECIPE)

        def log(step, **_):
            if step == steps:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            train_vision(training, snapshots, tmp_path / name, log, lambda _: {}, every=1)
        return training

    whole = run("whole.pt", None)
    assert run("parts.pt", stop).step == stop
    parts = run("parts.pt", None)
    assert parts.step == whole.step == whole.total_steps
    for name in MODULES:
        for key, value in getattr(whole, name).state_dict().items():
            assert torch.equal(value, getattr(parts, name).state_dict()[key]), (name, key)


def test_rates_rise_twice_and_fall_to_zero(tokenizer):
    visual = tiny.build_model(tokenizer).model.visual
    training = VisionTraining(visual, replace(RECIPE, cut_steps=100, steps=100, warmup=10, decay=0.4))
    factors = []
    for training.step in range(200):
        factors.append(training.rate_factor())
    assert factors[0] == factors[100] == pytest.approx(0.1)
    assert factors[50] == factors[150] == 1
    assert factors[180] == pytest.approx(0.5)
    assert 0 < factors[-1] < 0.05
