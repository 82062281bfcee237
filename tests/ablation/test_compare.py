"""Paired comparisons of runs, on answers with known differences."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.ablation import compare
from robotr1.ablation.plan import read_plan
from robotr1.records import Prediction

BY_SEED = st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=3)


def predict(policy, split, answers, kind="waypoint"):
    name = f"push_button/variation0/episode{{}}/frame0/{kind}"
    return [
        Prediction(name.format(i), policy, split, kind, "push_button", "", None, "A", bool(hit), True)
        for i, hit in enumerate(answers)
    ]


def as_scores(by_seed):
    return {
        seed: {f"t/variation0/episode{i}/frame0/state": hit for i, hit in enumerate(row)}
        for seed, row in enumerate(by_seed)
    }


@given(BY_SEED, st.data())
def test_a_difference_is_the_mean_of_its_seeds_and_changes_sign(ours, data):
    theirs = data.draw(
        st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=len(ours), max_size=len(ours))
    )
    one = compare.difference(as_scores(ours), as_scores(theirs))
    other = compare.difference(as_scores(theirs), as_scores(ours))
    assert one.mean == pytest.approx(np.mean(ours) - np.mean(theirs))
    assert one.mean == pytest.approx(np.mean(one.by_seed))
    assert other.mean == pytest.approx(-one.mean)
    assert (other.low, other.high) == (pytest.approx(-one.high), pytest.approx(-one.low))
    opposite = {"better": "worse", "worse": "better", "not told apart": "not told apart"}
    assert other.verdict == opposite[one.verdict]


def test_better_needs_all_seeds():
    good, bad = [True] * 40, [False] * 40
    clear = compare.difference(as_scores([good] * 3), as_scores([bad] * 3))
    assert (clear.mean, clear.verdict, max(clear.p_values) < 1e-9) == (1.0, "better", True)
    mixed = compare.difference(as_scores([good, good, bad]), as_scores([bad, bad, [*bad[1:], True]]))
    assert mixed.low > 0 and mixed.verdict == "not told apart"
    assert compare.difference(as_scores([good]), as_scores([good])).verdict == "not told apart"


def test_an_untrained_policy_is_compared_with_every_seed():
    found = compare.difference(as_scores([[True] * 6, [False] * 6]), as_scores([[False] * 6]))
    assert found.by_seed == [1.0, 0.0]
    assert math.isnan(compare.deviation([0.5]))
    with pytest.raises(ValueError, match="share"):
        compare.difference(as_scores([[True]]), {0: {"another/frame0/state": True}})
    with pytest.raises(ValueError, match="share"):
        compare.difference({}, {})


def test_runs_forms_and_types_are_kept_apart():
    rows = {
        "open-0": predict("open-0", "test_in", [True, False]),
        "open-0-own-form": predict("open-0-own-form", "test_in", [True, True]),
        "open-0-same_episode": predict("open-0-same_episode", "test_in", [False, False]),
        "waypoint_open-0": predict("waypoint_open-0", "test_in", [False]),
        "open-1": predict("open-1", "test_in", [True], "movement"),
    }
    for form, accuracy in (("", 0.5), (compare.OPEN_FORM, 1.0), (compare.OTHER_OPTIONS, 0.0)):
        assert compare.accuracies(compare.scores(rows, "open", "test_in", ("waypoint",), form)) == [accuracy]
    assert set(compare.scores(rows, "open", "test_in", compare.ALL)) == {0, 1}
    assert not compare.scores(rows, "open", "test_out", compare.ALL)


def test_every_comparison_uses_planned_runs_and_forms():
    plan = read_plan()
    assert {name for one in compare.COMPARISONS for name in (one.run, one.other)} <= set(plan["runs"])
    assert {one.question for one in compare.COMPARISONS} >= {
        "GRPO or imitation?",
        "Which algorithm?",
        "Which questions?",
    }
    others = plan["answering"]["other_options"]
    assert [f"-{strategy}" for strategy in others["strategies"]] == [compare.OTHER_OPTIONS]
    sides = {(one.run, one.run_form) for one in compare.COMPARISONS}
    sides |= {(one.other, one.other_form) for one in compare.COMPARISONS}
    assert {run for run, form in sides if form == compare.OTHER_OPTIONS} <= set(others["runs"])
