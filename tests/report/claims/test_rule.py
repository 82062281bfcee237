"""The rule for verdicts: enough seeds and episodes, an interval without zero, and seeds that agree."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.report.claims.rule import EPISODES, SEEDS, Evidence, verdict

GAIN = Evidence(difference=4.0, low=1.0, high=7.0, n=600, seeds=3, seeds_agree=True)
LOSS = replace(GAIN, difference=-4.0, low=-7.0, high=-1.0)


@pytest.mark.parametrize(
    ("expected", "evidence", "word"),
    [
        (0.5, GAIN, "agrees"),
        (-0.5, LOSS, "agrees"),
        (0.5, LOSS, "contradicts"),
        (-0.5, GAIN, "contradicts"),
        (0.5, None, "not run"),
        (0.5, replace(GAIN, low=-0.1), "not told apart"),
        (0.5, replace(GAIN, low=0.0), "not told apart"),
        (0.5, replace(GAIN, seeds=SEEDS - 1), "not told apart"),
        (0.5, replace(GAIN, seeds_agree=False), "not told apart"),
        (0.5, replace(GAIN, counts_episodes=True, n=EPISODES - 1), "not told apart"),
        (0.5, replace(GAIN, counts_episodes=True, n=EPISODES), "agrees"),
        (0.5, replace(GAIN, n=None), "agrees"),
        (0.5, replace(GAIN, counts_episodes=True, n=None), "not told apart"),
        (0.5, replace(GAIN, low=float("nan"), high=float("nan")), "not told apart"),
    ],
)
def test_verdicts(expected, evidence, word):
    assert verdict(expected, evidence) == word


def test_a_claim_without_a_direction_is_refused():
    with pytest.raises(ValueError, match="direction"):
        verdict(0.0, GAIN)


@given(st.floats(0.01, 3), st.floats(-50, 50), st.floats(0, 20), st.integers(1, 5), st.booleans())
def test_the_opposite_expectation_gets_the_opposite_verdict(expected, difference, width, seeds, agree):
    evidence = Evidence(difference, difference - width, difference + width, 100, seeds, agree)
    opposite = {"agrees": "contradicts", "contradicts": "agrees"}
    one, other = verdict(expected, evidence), verdict(-expected, evidence)
    assert other == opposite.get(one, one)
