"""The controls' checks pass on the committed items, and stop a run with broken or alike items."""

from dataclasses import replace

import pytest

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.spatialrgpt.controls import CONTROLS, answers, check_controls, completions, expected_random
from robotr1.evaluation.spatialrgpt.items import read_items, select
from robotr1.evaluation.spatialrgpt.results import summarize

ALL = read_items()


def test_the_committed_set_passes():
    table = check_controls(ALL).set_index(["policy", "column"])
    assert (table.loc["oracle"]["accuracy"] == 1).all()
    level, deviation = expected_random(ALL)
    assert 0.25 < level < 0.6
    assert deviation < 0.05
    qualitative = table.loc["random", "qualitative"]
    assert qualitative["low"] < 0.5 < qualitative["high"] + 0.1


def test_broken_and_alike_items_are_detected():
    with pytest.raises(BenchmarkError, match="the reference 'far' is unreadable"):
        check_controls([replace(ALL[0], reference="far"), *ALL[1:]])
    alike = [replace(item, reference="Yes.") for item in ALL if item.category.endswith("_predicate")]
    with pytest.raises(BenchmarkError, match="random is right in 100%"):
        check_controls(alike)
    assert set(completions(alike)["random"]) == {"<answer> Yes. </answer>"}


def test_a_selection_is_answered_with_guesses_from_the_whole_set():
    items = select(ALL, 60)
    table = summarize(answers(items, ALL)).set_index(["policy", "column"])
    assert {policy for policy, _ in table.index} == set(CONTROLS)
    assert (table.loc["oracle"]["accuracy"] == 1).all()
    for average in ("quantitative", "qualitative"):
        assert table.loc[("random", average), "accuracy"] < 0.8
    assert summarize(answers([], ALL)).empty
