"""What is written of open questions and episodes can be read again, and a broken line says where it is."""

import dataclasses

import numpy as np
import pytest
from synthetic_study import acted, answers, measured, planned, probed

from robotr1.evaluation import kept
from robotr1.evaluation.closed_loop.results import Trace
from robotr1.evaluation.multiple_choice.scoring import read_predictions
from robotr1.evaluation.planning.run import PlanAnswer
from robotr1.records import RecordError

PLANS = [
    PlanAnswer(f"lamp_on/{number}", "test_out", policy, "lamp_on", said, order, order)
    for number in range(3)
    for policy, said, order in (("oracle", "{}", 1.0), ("sft-planning", None, 0.0))
]


def facts(trace: Trace):
    steps = [(step.state, step.target, step.answer, step.outcome) for step in trace.steps]
    return (trace.policy, trace.task, trace.episode, trace.instruction, trace.success, trace.reason, steps)


def test_judged_answers_come_back(tmp_path):
    rows = answers()
    rows[0] = dataclasses.replace(rows[0], completion=None, answer=None)
    kept.write_answers(rows, tmp_path)
    key = dataclasses.astuple
    assert sorted(map(str, map(key, kept.read_answers(tmp_path)))) == sorted(map(str, map(key, rows)))
    assert read_predictions(tmp_path) == [], "they are no multiple-choice predictions"


def test_episodes_come_back_and_only_those_shown_have_pictures(tmp_path):
    played = acted()
    seen = [trace for trace in played if trace.last_image is not None]
    kept.write_traces(played, tmp_path, shown=seen[:1])
    found = kept.read_traces(tmp_path)
    assert sorted(map(facts, found), key=str) == sorted(map(facts, played), key=str)
    (shown,) = [trace for trace in found if trace.last_image is not None]
    assert facts(shown) == facts(seen[0])
    for before, after in zip(seen[0].steps, shown.steps, strict=True):
        np.testing.assert_array_equal(before.image, after.image)
    np.testing.assert_array_equal(seen[0].last_image, shown.last_image)
    assert all(step.image is None for trace in found if trace is not shown for step in trace.steps)


@pytest.mark.parametrize("line", ["{oops", "[]", '{"policy": "base"}', '{"policy": "base", "steps": [{}]}'])
def test_a_broken_line_names_file_and_line(tmp_path, line):
    kept.write_traces(acted(), tmp_path)
    file = tmp_path / "base/closed_loop.jsonl"
    file.write_text(file.read_text().splitlines(keepends=True)[0] + line + "\n")
    with pytest.raises(RecordError, match=r"closed_loop\.jsonl, line 2"):
        kept.read_traces(tmp_path)
    (tmp_path / "base/reasoning.jsonl").write_text(line + "\n")
    with pytest.raises(RecordError, match=r"reasoning\.jsonl, line 1"):
        kept.read_answers(tmp_path)


@pytest.mark.parametrize(
    ("rows", "write", "read", "name"),
    [
        (measured(), kept.write_spatial, kept.read_spatial_answers, "spatial.jsonl"),
        (planned(), kept.write_embodied, kept.read_embodied, "embodied.jsonl"),
        (probed(), kept.write_probed, kept.read_probed, "faithfulness.jsonl"),
        (PLANS, kept.write_plans, kept.read_plans, "planning.jsonl"),
    ],
)
def test_every_other_kind_comes_back(tmp_path, rows, write, read, name):
    write(rows, tmp_path)
    assert sorted(map(str, read(tmp_path))) == sorted(map(str, rows))
    assert read_predictions(tmp_path) == []
    (tmp_path / "base" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "base" / name).write_text('{"policy": "base"}\n')
    with pytest.raises(RecordError, match=rf"{name}, line 1"):
        read(tmp_path)


def test_nothing_was_kept(tmp_path):
    assert kept.read_answers(tmp_path) == kept.read_traces(tmp_path) == []
    assert kept.read_spatial_answers(tmp_path) == kept.read_embodied(tmp_path) == kept.read_probed(tmp_path) == []
    assert kept.read_plans(tmp_path) == []
