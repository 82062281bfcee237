"""Answers are read by rules: lengths, clock directions, affirmations and denials, names of regions."""

import json

import pytest
from published_form import published

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.spatialrgpt.items import read_items
from robotr1.evaluation.spatialrgpt.scoring import is_correct, score


@pytest.fixture
def item(tmp_path):
    def make(category, reference):
        file = tmp_path / "bench.json"
        file.write_text(json.dumps([published(category, reference)]))
        return read_items(file)[0]

    return make


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1.2 meters", True),
        ("It is 4 feet wide", True),  # 1.219 m
        ("125 cm", True),
        ("1.25 m", True),
        ("1.26 m", False),
        ("0.75 m", True),
        ("0.74 m", False),
        ("29.53 inches", True),
        ("3'3\"", True),
        ("about one", None),
        ("1.0", None),
        ("1 m or 5 m", None),
        ("", None),
        (None, None),
    ],
)
def test_quantities_within_a_quarter(item, answer, expected):
    assert is_correct(item("width_data", "The width of Region [0] is 1.0 meters."), answer) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("11 o'clock", True), ("1 o'clock", True), ("twelve o'clock", True), ("2 o'clock", False), ("left", None)],
)
def test_directions_within_an_hour(item, answer, expected):
    assert is_correct(item("direction", "Region [1] is around the 12 o'clock direction."), answer) is expected


@pytest.mark.parametrize(
    ("reference", "answer", "expected"),
    [
        ("No.", "No, it is in front", True),
        ("No.", "Yes", False),
        ("Incorrect, Region [0] is not smaller in size than Region [1].", "No, it is not.", True),
        ("Correct, Region [0] is smaller than Region [1].", "Region [0] is smaller than Region [1]", True),
        ("Correct, Region [0] is smaller than Region [1].", "Region [1] is smaller than Region [0]", False),
        ("Correct, Region [0] is smaller than Region [1].", "Region [0] is behind Region [1]", None),
        ("Actually, Region [0] might be bigger than Region [1].", "Region [0] isn't smaller than Region [1]", True),
        ("Yes, Region [0] is behind.", "No, not at all", False),
        ("Yes.", "yes or no", None),
        ("Yes.", "hm", None),
        ("Yes.", "", None),
    ],
)
def test_predicates(item, reference, answer, expected):
    assert is_correct(item("small_predicate", reference), answer) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Region [1]", True),
        ("region 1 is", True),
        ("[1]", True),
        ("Region [0] is left of Region [1]", False),
        ("?", None),
    ],
)
def test_choices(item, answer, expected):
    assert is_correct(item("left_choice", "Region [1] is more to the left."), answer) is expected


@pytest.mark.parametrize("category", ["width_data", "direction", "left_choice", "left_predicate"])
def test_an_unreadable_reference_is_an_error(item, category):
    with pytest.raises(BenchmarkError, match=category):
        is_correct(item(category, "hm"), "Region [0] is 1 m wide at 3 o'clock, yes")


def test_rows_have_the_completion_and_the_verdict(item):
    one = item("width_data", "Region [0] is 1.0 meters wide.")
    rows = score("p", [one] * 4, ["<answer> 1.1 m </answer>", "<answer> 3 m </answer>", "1.1 m", None])
    assert [(row.correct, row.unreadable) for row in rows] == [
        (True, False),
        (False, False),
        (False, True),
        (False, True),
    ]
    assert [row.completion for row in rows][2:] == ["1.1 m", None]
    assert {(row.policy, row.column, row.quantitative) for row in rows} == {("p", "width", True)}
    with pytest.raises(ValueError, match="2 items but 1 completions"):
        score("p", [one] * 2, ["x"])
