"""DVCLive's and TensorBoard's files of a real run, and the message where a package is missing."""

import csv
import dataclasses
import json

import pytest
from small_settings import GRPO, SFT

from robotr1 import paths
from robotr1.records import read_objects
from robotr1.training import curves, sft
from robotr1.training.grpo import trainer as rl


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def test_nothing_is_sent_by_default(tmp_path):
    assert curves.curve_callbacks("none", tmp_path) == []


@pytest.mark.parametrize("tool", ["tensorboard", "dvclive"])
@pytest.mark.parametrize(("make", "settings"), [(rl.make_trainer, GRPO), (sft.make_trainer, SFT)], ids=["rl", "sft"])
def test_a_missing_package_is_named_before_anything_is_loaded(tmp_path, monkeypatch, tool, make, settings):
    monkeypatch.setattr(curves, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=f"report_to: the package {tool} is missing; `pip install {tool}`"):
        make(dataclasses.replace(settings, report_to=tool), [], tmp_path / "no base", "run")


def test_dvclive_has_every_step_and_touches_nothing_else(base, questions, tmp_path, monkeypatch, checkpoints):
    pytest.importorskip("dvclive")
    monkeypatch.chdir(tmp_path)
    settings = dataclasses.replace(GRPO, steps=3, report_to="dvclive", max_completion_length=16)
    plain = rl.train(dataclasses.replace(settings, report_to="none"), questions, base, tmp_path / "models/plain")
    assert rl.train(settings, questions, base, tmp_path / "models/run") == plain
    with open(checkpoints / "run/dvclive/plots/metrics/reward.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [int(row["step"]) for row in rows] == [1, 2, 3]
    rewards = [round(float(row["reward"]), 6) for row in rows]
    assert rewards == [entry["reward"] for _, entry in read_objects(tmp_path / "models/run/log.jsonl")]
    assert "step" in json.loads((checkpoints / "run/dvclive/metrics.json").read_text())
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints", "models"}


def test_tensorboard_has_every_step(base, questions, tmp_path, checkpoints):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = dataclasses.replace(GRPO, steps=3, report_to="tensorboard", max_completion_length=16)
    rl.train(settings, questions, base, tmp_path / "models/run")
    (folder,) = (checkpoints / "run/runs").iterdir()
    events = EventAccumulator(str(folder)).Reload()
    assert [event.step for event in events.Scalars("train/reward")] == [1, 2, 3]
