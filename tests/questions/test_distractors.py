from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.distractors import (
    SCENE_HIGH,
    SCENE_LOW,
    TOLERANCE,
    DistractorError,
    Strategy,
    draw_distractors,
    smallest_gap,
)

POOL = np.random.default_rng(0).uniform(SCENE_LOW, SCENE_HIGH, (200, 3))
truths = st.tuples(st.floats(-0.1, 0.5), st.floats(-0.4, 0.4), st.floats(0.76, 1.5))
seeds = st.integers(0, 2**32 - 1)


@given(st.sampled_from(get_args(Strategy)), truths, st.integers(1, 5), st.sampled_from([0.05, 0.1]), seeds)
def test_options_keep_the_gap_and_stay_in_the_scene(strategy, truth, count, gap, seed):
    drawn = draw_distractors(strategy, truth, count, gap, np.random.default_rng(seed), POOL, decimals=2)
    printed_truth = [round(value, 2) for value in truth]
    assert len(drawn) == count
    assert smallest_gap([printed_truth, *drawn]) >= gap - TOLERANCE
    assert all(value == round(value, 2) for point in drawn for value in point)
    assert (np.array(drawn) >= SCENE_LOW - 0.005).all()
    assert (np.array(drawn) <= SCENE_HIGH + 0.005).all()


@given(st.sampled_from(get_args(Strategy)), truths, seeds)
def test_the_same_generator_draws_the_same(strategy, truth, seed):
    first, second = (draw_distractors(strategy, truth, 3, 0.1, np.random.default_rng(seed), POOL) for _ in range(2))
    assert first == second


@given(truths, seeds)
def test_pool_strategies_draw_from_the_pool(truth, seed):
    for strategy in ("same_episode", "other_episodes"):
        for point in draw_distractors(strategy, truth, 3, 0.1, np.random.default_rng(seed), POOL):
            assert np.linalg.norm(POOL - point, axis=1).min() < 1e-5


def test_the_fallback_serves_only_what_the_pool_lacks():
    pool, fallback = [[0.1, 0.1, 1.0]], [[0.4, 0.4, 1.0], [0.4, -0.4, 1.0]]
    drawn = draw_distractors("other_episodes", [0, 0, 1], 3, 0.1, np.random.default_rng(0), pool, fallback)
    assert drawn[0] == pool[0]
    assert sorted(drawn[1:]) == sorted(fallback)


def test_near_misses_are_near_and_not_centred_on_the_truth():
    truth, centre_is_nearest = np.array([0.2, 0.0, 1.2]), 0
    for seed in range(400):
        drawn = np.array(draw_distractors("near_miss", truth, 3, 0.1, np.random.default_rng(seed)))
        assert np.linalg.norm(drawn - truth, axis=1).max() <= 0.3 + 1e-6
        options = np.vstack([truth, drawn])
        centre_is_nearest += np.linalg.norm(options - options.mean(axis=0), axis=1).argmin() == 0
    assert 60 < centre_is_nearest < 140  # 100 are expected by chance


def test_no_two_options_print_alike_without_a_gap():
    pool = [[0.101, 0, 1]] * 50 + [[0.2, 0, 1], [0.3, 0, 1], [0.4, 0, 1]]
    drawn = draw_distractors("other_episodes", [0.1, 0, 1], 3, 0.0, np.random.default_rng(0), pool, decimals=2)
    assert sorted(drawn) == [[0.2, 0, 1], [0.3, 0, 1], [0.4, 0, 1]]


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_a_gap_that_cannot_be_met_is_an_error(strategy):
    with pytest.raises(DistractorError, match="lower `minimum_gap`"):
        draw_distractors(strategy, [0.2, 0, 1.2], 5, 2.0, np.random.default_rng(0), POOL)


def test_an_unknown_strategy_is_an_error():
    with pytest.raises(ValueError, match="near_miss"):
        draw_distractors("nearby", [0.2, 0, 1.2], 3, 0.1, np.random.default_rng(0))
