"""Rows of every benchmark come back from disk, and a broken line is named."""

from dataclasses import fields, replace

import numpy as np
import pytest
from synthetic_study import acted, answers, measured, planned, probed

from robotr1.evaluation.closed_loop import results as closed_loop
from robotr1.evaluation.eb_manipulation import results as eb_manipulation
from robotr1.evaluation.faithfulness import results as faithfulness
from robotr1.evaluation.multiple_choice.results import read as read_predictions
from robotr1.evaluation.open_questions import results as open_questions
from robotr1.evaluation.planning import results as planning
from robotr1.evaluation.planning.results import PlanAnswer
from robotr1.evaluation.spatialrgpt import results as spatialrgpt
from robotr1.records import RecordError

PLANS = [
    PlanAnswer(f"lamp_on/{number}", "test_out", policy, "lamp_on", said, order, order)
    for number in range(3)
    for policy, said, order in (("oracle", "{}", 1.0), ("base", None, 0.0))
]
JUDGED = [replace(answers()[0], completion=None, answer=None), *answers()[1:]]
NO_IMAGES = [
    replace(trace, steps=[replace(step, image=None) for step in trace.steps], last_image=None) for trace in acted()
]
ROWS = {
    closed_loop: NO_IMAGES,
    eb_manipulation: planned(),
    faithfulness: probed(),
    open_questions: JUDGED,
    planning: PLANS,
    spatialrgpt: measured(),
}
benchmarks = pytest.mark.parametrize(
    ("results", "rows"), ROWS.items(), ids=[results.__name__.split(".")[-2] for results in ROWS]
)


@benchmarks
def test_rows_come_back(tmp_path, results, rows):
    results.write(rows, tmp_path)
    assert sorted(map(repr, results.read(tmp_path))) == sorted(map(repr, rows))
    assert read_predictions(tmp_path) == [], "they are no multiple-choice predictions"
    for file in tmp_path.glob("*/*"):
        assert file.name == results.FILE
        assert all(line.startswith(b'{"schema": 1, ') for line in file.read_bytes().split(b"\n")[:-1])


HOSTILE = "a\u2028b\u2029c\x85d\x0be\ud800f\x00g\r\nh\ufeff{{[1]}}" + "9" * 5000


@benchmarks
def test_hostile_texts_come_back(tmp_path, results, rows):
    spared = {"policy", "thought", "split", "type", "ability", "distribution", "subset", "judge"}
    texts = [field.name for field in fields(rows[0]) if isinstance(getattr(rows[0], field.name), str)]
    hostile = [
        replace(row, **{name: f"{HOSTILE}{number}" for name in texts if name not in spared})
        for number, row in enumerate(rows)
    ]
    results.write(hostile, tmp_path)
    assert sorted(map(repr, results.read(tmp_path))) == sorted(map(repr, hostile))


@benchmarks
def test_rows_without_a_schema_are_refused_by_file_and_line(tmp_path, results, rows):
    results.write(rows, tmp_path)
    for file in tmp_path.glob(f"*/{results.FILE}"):
        file.write_text(file.read_text(encoding="utf-8").replace('"schema": 1, ', ""), encoding="utf-8")
    with pytest.raises(RecordError, match=rf"{results.FILE}, line 1: schema: got None"):
        results.read(tmp_path)


@benchmarks
@pytest.mark.parametrize("line", ["{oops", "[]", '{"policy": "base"}', '{"policy": "base", "steps": [{}]}'])
def test_a_broken_line_names_file_and_line(tmp_path, results, rows, line):
    results.write(rows, tmp_path)
    file = tmp_path / "base" / results.FILE
    file.parent.mkdir(exist_ok=True)
    file.write_text((file.read_text(encoding="utf-8") if file.exists() else "") + line + "\n", encoding="utf-8")
    number = file.read_bytes().count(b"\n")
    with pytest.raises(RecordError, match=rf"base/{results.FILE}, line {number}: "):
        results.read(tmp_path)


@benchmarks
def test_an_empty_folder_has_no_rows(tmp_path, results, rows):
    assert results.read(tmp_path) == []


@benchmarks
def test_the_committed_rows_are_read(results, rows, committed):
    folder = committed / "data/predictions"
    lines = sum(file.read_bytes().count(b"\n") for file in folder.glob(f"*/{results.FILE}"))
    assert len(results.read(folder)) == lines


def test_only_shown_episodes_have_images(tmp_path):
    played = acted()
    seen = [trace for trace in played if trace.last_image is not None]
    closed_loop.write(played, tmp_path, shown=seen[:1])
    found = closed_loop.read(tmp_path)
    (shown,) = [trace for trace in found if trace.last_image is not None]
    assert (shown.policy, shown.task, shown.episode) == (seen[0].policy, seen[0].task, seen[0].episode)
    for before, after in zip(seen[0].steps, shown.steps, strict=True):
        np.testing.assert_array_equal(before.image, after.image)
    np.testing.assert_array_equal(seen[0].last_image, shown.last_image)
    assert all(step.image is None for trace in found if trace is not shown for step in trace.steps)
