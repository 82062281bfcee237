"""After kill -9 at any moment, a run started again ends with the weights of an uninterrupted run."""

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


def kill_and_resume(method, settings, asked, base, output, moments):
    """Kill runs at `moments` (each with the checkpoints it leaves), then finish: equal to an uninterrupted run."""
    whole = TRAIN[method](settings, asked, base, output / "whole")
    for moment, left in moments.items():
        train_and_die(method, settings, asked, base, output / "cut", moment)
        assert complete(paths.CHECKPOINTS / "cut") == left, f"killed at {moment}"
        assert not (output / "cut").exists()
    assert TRAIN[method](settings, asked, base, output / "cut") == whole
    one, two = (load_file(output / name / "adapter_model.safetensors") for name in ("whole", "cut"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.equal(value, two[name]), name
    assert not complete(paths.CHECKPOINTS / "cut")


def test_reinforcement(base, questions, tmp_path):
    """Three updates per rollout: checkpoints every two steps wait for the next rollout, and the run ends within one.
    It resumes within the first epoch, between two epochs, and in the second."""
    settings = dataclasses.replace(
        GRPO, steps=10, updates_per_rollout=3, save_steps=2, prompts_per_step=2, max_completion_length=16
    )
    moments = {5: [3], "checkpoint-9": [3, 6], "end": [6, 9]}
    kill_and_resume("rl", settings, questions, base, tmp_path / "models", moments)


def test_supervised(base, questions, tmp_path):
    written = "<think> It is there. </think> <answer> [[C]] </answer>"
    examples = [SftExample(q.id, "train", "cot", q.task, q.image, q.prompt, written) for q in questions]
    settings = dataclasses.replace(SFT, steps=5, micro_batch=2, save_steps=1)
    moments = {3: [2, 3], "checkpoint-4": [2, 3], "end": [3, 4]}
    kill_and_resume("sft", settings, examples, base, tmp_path / "models", moments)
