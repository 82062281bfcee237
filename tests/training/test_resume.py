"""kill -9 at any moment, run again: the final weights are those of a run that nothing happened to."""

import dataclasses

import pytest
import torch
from killed_run import TRAIN, train_and_die
from safetensors.torch import load_file
from small_settings import GRPO, SFT

from robotr1 import paths
from robotr1.records import SftExample


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def complete(folder):
    """Steps of the checkpoints that were written to the end."""
    return sorted(int(path.parent.name.partition("-")[2]) for path in folder.glob("checkpoint-*/trainer_state.json"))


def kill_and_go_on(regime, settings, asked, base, output, moments):
    """Runs killed at `moments`, with the checkpoints that each leaves, and one that ends: as good as one whole run."""
    whole = TRAIN[regime](settings, asked, base, output / "whole")
    for moment, left in moments.items():
        train_and_die(regime, settings, asked, base, output / "cut", moment)
        assert complete(paths.CHECKPOINTS / "cut") == left, f"killed at {moment}"
        assert not (output / "cut").exists()
    assert TRAIN[regime](settings, asked, base, output / "cut") == whole
    one, two = (load_file(output / name / "adapter_model.safetensors") for name in ("whole", "cut"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.equal(value, two[name]), name
    assert not complete(paths.CHECKPOINTS / "cut")


def test_reinforcement(base, questions, tmp_path):
    """Three updates on each rollout: checkpoints asked for every two steps, within rollouts, wait for the next one's
    beginning, and the run ends within a rollout. It goes on within the first epoch, between two, and in the second."""
    settings = dataclasses.replace(
        GRPO, steps=10, updates_per_rollout=3, save_steps=2, prompts_per_step=2, max_completion_length=16
    )
    moments = {5: [3], "checkpoint-9": [3, 6], "end": [6, 9]}
    kill_and_go_on("rl", settings, questions, base, tmp_path / "models", moments)


def test_supervised(base, questions, tmp_path):
    written = "<think> It is there. </think> <answer> [[C]] </answer>"
    examples = [SftExample(q.id, "train", "cot", q.task, q.image, q.prompt, written) for q in questions]
    settings = dataclasses.replace(SFT, steps=5, micro_batch=2, save_steps=1)
    moments = {3: [2, 3], "checkpoint-4": [2, 3], "end": [3, 4]}
    kill_and_go_on("sft", settings, examples, base, tmp_path / "models", moments)
