"""The audit table covers every guess, split and type; its command line prints it."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from robotr1 import paths
from robotr1.questions.audit import __main__ as command
from robotr1.questions.audit.seeing import audit_seeing, nearest_to_gripper
from robotr1.questions.audit.table import audit_all, table
from robotr1.questions.build import stream_questions
from robotr1.questions.splits import SPLITS
from robotr1.questions.trajectory import trajectories_of
from robotr1.records import write_records


def test_the_table_has_every_guess_split_and_type(study, settings):
    chosen = replace(settings, distractors="paired", paired_questions=200, types=["waypoint", "state"])
    trajectories = trajectories_of(*study)
    rows = audit_all(trajectories, chosen)
    shown = table(rows["blind"])
    assert set(shown.columns) == {(type, split) for type in ("waypoint", "state") for split in SPLITS}
    assert {"majority letter", "logit", "forest", "logit, folds"} <= set(shown.index)
    questions = [q for q in stream_questions(trajectories, chosen) if q.split == "test_in"]
    seeing = audit_seeing({"test_in": questions}, trajectories)
    assert seeing == [row for row in rows["seeing"] if row.split == "test_in"]
    (nearest,) = [row for row in seeing if row.policy == "nearest to the gripper"]
    by_hand = np.mean([nearest_to_gripper(q) == q.answer for q in questions if q.type == "waypoint"])
    assert nearest.accuracy == pytest.approx(by_hand) and nearest.accuracy <= 0.52


def test_the_command_prints_both_tables_for_each_strategy(study, settings, monkeypatch, capsys, tmp_path):
    small = replace(settings, types=["waypoint"], paired_questions=100)
    write_records(tmp_path / "keyframes.jsonl", study[1])
    monkeypatch.setattr(paths, "DEMOS", study[0][0].folder.parents[3])
    monkeypatch.setattr(paths, "KEYFRAMES", tmp_path / "keyframes.jsonl")
    monkeypatch.setattr(command, "load_settings", lambda: {"build_questions": small})
    monkeypatch.setattr(sys, "argv", ["audit", "paired", "near_miss", "--seed", "1"])
    command.main()
    printed = capsys.readouterr().out
    for title in ("paired, blind", "paired, seeing", "near_miss, blind", "near_miss, seeing"):
        assert f"\n{title}\n" in printed
    assert printed.count("forest, folds") == 2 and printed.count("nearest to the gripper") == 2
