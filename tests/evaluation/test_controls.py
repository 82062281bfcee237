"""The rules that every benchmark's controls share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.controls import UNLIKELY, BenchmarkError, check_chance, check_oracle


def test_an_oracle_that_always_scores_1_passes():
    check_oracle("lengths", {"a": 1, "b": 1.0, "c": True}, "cause")
    check_oracle("lengths", {}, "cause")


def test_an_oracle_that_fails_is_counted_and_named():
    with pytest.raises(
        BenchmarkError, match=r"lengths: the oracle fails 2 of 3 items, first b: the reference is wrong"
    ):
        check_oracle("lengths", {"a": 1, "b": 0.5, "c": 0}, "the reference is wrong")


@pytest.mark.parametrize(
    ("right", "passes"), [(25, True), (45, True), (6, True), (60, False), (0, False), (100, False)]
)
def test_a_random_policy_is_near_chance(right, passes):
    scores = [1] * right + [0] * (100 - right)
    if passes:
        check_chance("choice", scores, 0.25, "cause")
    else:
        with pytest.raises(
            BenchmarkError, match=rf"scores {right / 100:.3f} on 100 items, where chance is 0.250: cause"
        ):
            check_chance("choice", scores, 0.25, "cause")


def test_few_items_prove_nothing():
    check_chance("choice", [1] * 8, 0.25, "cause")
    check_chance("choice", [], 0.25, "cause")


def test_below_chance_passes_where_chance_is_an_upper_bound():
    check_chance("acting", [0] * 200, 0.25, "cause", at_most=True)
    check_chance("acting", [0.0] * 200, 0.25, "cause", at_most=True, deviation=0.01)
    with pytest.raises(BenchmarkError, match="at most 0.250"):
        check_chance("acting", [1] * 200, 0.25, "cause", at_most=True)


def test_graded_scores_are_compared_by_their_deviation():
    check_chance("free text", [0.4, 0.5, 0.6], 0.48, "cause", deviation=0.01)
    check_chance("free text", [0.5, 0.5], 0.5, "cause", deviation=0.0)
    for deviation in (0.0, 0.01):
        with pytest.raises(BenchmarkError):
            check_chance("free text", [0.4, 0.5, 0.6], 0.44, "cause", deviation=deviation)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.25, 0.5]), st.integers(1, 300))
def test_a_fair_guesser_passes(seed, chance, items):
    check_chance("choice", np.random.default_rng(seed).random(items) < chance, chance, "cause")


def test_luck_is_rarer_than_a_study_will_ever_see():
    assert UNLIKELY <= 1e-6
