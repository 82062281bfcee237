"""After kill -9 at any moment, a run started again ends with the weights of an uninterrupted run."""

import dataclasses
import shutil

import pytest
import torch
from killed_run import TRAIN, train_and_die
from safetensors.torch import load_file
from small_settings import GRPO, SFT

from robotr1 import paths
from robotr1.records import SftExample
from robotr1.training.checkpoints import is_complete


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def complete(folder):
    """Steps of the complete checkpoints."""
    return sorted(int(path.name.partition("-")[2]) for path in folder.glob("checkpoint-*") if is_complete(path))


def kill_and_resume(method, settings, asked, base, output, moments):
    """Kill runs at `moments` (each with the checkpoints it leaves), then finish: equal to an uninterrupted run."""
    whole = TRAIN[method](settings, asked, base, output / "whole")
    for moment, left in moments.items():
        train_and_die(method, settings, asked, base, output / "cut", moment)
        assert complete(paths.CHECKPOINTS / "cut") == left, f"killed at {moment}"
        assert (output / "cut").exists() == (moment == "removal"), "a policy is there when it is finished"
        shutil.rmtree(output / "cut", ignore_errors=True)  # as DVC does before it runs a stage again
    assert TRAIN[method](settings, asked, base, output / "cut") == whole
    one, two = (load_file(output / name / "adapter_model.safetensors") for name in ("whole", "cut"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.equal(value, two[name]), name
    assert not complete(paths.CHECKPOINTS / "cut")
    assert {path.name for path in output.iterdir()} == {"whole", "cut"}, "no temporary folder of a killed run is left"


def test_reinforcement(base, questions, tmp_path):
    """Three updates per rollout: checkpoints every two steps wait for the next rollout, and the run ends within one.
    It resumes within the first epoch, between two epochs, and in the second."""
    settings = dataclasses.replace(
        GRPO, steps=10, updates_per_rollout=3, save_steps=2, prompts_per_step=2, max_completion_length=16
    )
    moments = {5: [3], "checkpoint-9": [3, 6], "end": [6, 9], "removal": []}
    kill_and_resume("rl", settings, questions, base, tmp_path / "models", moments)


def test_supervised(base, questions, tmp_path):
    written = "<think> It is there. </think> <answer> [[C]] </answer>"
    examples = [SftExample(q.id, "train", "cot", q.task, q.image, q.prompt, written) for q in questions]
    settings = dataclasses.replace(SFT, steps=5, micro_batch=2, save_steps=1)
    moments = {3: [2, 3], "checkpoint-4": [2, 3], "manifest of checkpoint-4": [3], "end": [3, 4], "adapter": [3, 4]}
    kill_and_resume("sft", settings, examples, base, tmp_path / "models", moments)
