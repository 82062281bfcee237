"""Wrong positions keep their gap, are never the truth, and depend on their generator alone."""

import numpy as np
import pytest
from draws import ANSWERS, POSITIONS, position_draw
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.answers import parse_state
from robotr1.questions.distractors.positions import TOLERANCE, position_distractors, sample_positions, smallest_gap
from robotr1.questions.distractors.scene import SCENE_HIGH, SCENE_LOW
from robotr1.questions.distractors.strategies import DistractorError
from robotr1.questions.prompts import format_state
from robotr1.settings import DISTRACTORS

truths = st.tuples(st.floats(-0.1, 0.5), st.floats(-0.4, 0.4), st.floats(0.76, 1.5))
seeds = st.integers(0, 2**32 - 1)
strategies = st.sampled_from([name for name in DISTRACTORS if name != "paired"])  # sets: test_paired.py


@given(strategies, truths, st.integers(1, 7), st.sampled_from([0.02, 0.05, 0.1]), st.sampled_from([2, 3, 6]), seeds)
def test_options_keep_the_gap_and_stay_in_the_scene(strategy, truth, count, gap, decimals, seed):
    draw = position_draw(strategy, truth, seed, options=count + 1, minimum_gap=gap, decimals=decimals)
    drawn = sample_positions(draw)
    printed_truth = [round(value, decimals) for value in truth]
    assert len(drawn) == count
    assert printed_truth not in drawn
    assert smallest_gap([printed_truth, *drawn]) >= gap - TOLERANCE
    assert all(value == round(value, decimals) for point in drawn for value in point)
    assert (np.array(drawn) >= SCENE_LOW - 0.5 * 10**-decimals).all()
    assert (np.array(drawn) <= SCENE_HIGH + 0.5 * 10**-decimals).all()


@given(strategies, truths, seeds)
def test_the_same_generator_draws_the_same(strategy, truth, seed):
    first, second = (position_distractors(position_draw(strategy, truth, seed)) for _ in range(2))
    assert first == second
    assert [parse_state(text) for text in first] == sample_positions(position_draw(strategy, truth, seed))


def test_no_two_options_print_alike_without_a_gap():
    answers = ["[0.101, 0, 1]"] * 50 + ["[0.2, 0, 1]", "[0.3, 0, 1]", "[0.4, 0, 1]"]
    draw = position_draw("other_episodes", [0.1, 0, 1], answers=answers, minimum_gap=0.0, decimals=2)
    assert sorted(position_distractors(draw)) == ["[0.2, 0, 1]", "[0.3, 0, 1]", "[0.4, 0, 1]"]


@given(strategies)
def test_a_gap_that_cannot_be_met_is_an_error(strategy):
    with pytest.raises(DistractorError, match=f"{strategy} found only .*lower `minimum_gap`"):
        sample_positions(position_draw(strategy, [0.2, 0, 1.2], options=6, minimum_gap=2.0))


def test_more_options_than_candidates_is_an_error():
    draw = position_draw("other_episodes", [0.2, 0, 1.2], answers=ANSWERS[:2], minimum_gap=0.0)
    with pytest.raises(DistractorError, match="other_episodes found only [012] of 3"):
        sample_positions(draw)


def test_bare_positions_get_rotation_and_gripper_of_other_answers():
    extended = [[*position, 0.1 * i, 0.0, 1.0, 1.0] for i, position in enumerate(POSITIONS[:5])]
    truth = [0.2, 0.0, 1.2, 3.0, 0.0, 1.5, 0.0]
    draw = position_draw("uniform", truth, answers=[format_state(state, 6) for state in extended])
    hands = [parse_state(text, 7)[3:] for text in position_distractors(draw)]
    assert all(hand in [pytest.approx(state[3:]) for state in extended] for hand in hands)
