"""Wrong positions keep their gap, stay in the scene, are never the truth, and depend on their generator alone."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.distractors.positions import (
    SCENE_HIGH,
    SCENE_LOW,
    SCENE_MIDDLE,
    STRATEGIES,
    TOLERANCE,
    DistractorError,
    Draw,
    distractor,
    draw_distractors,
    in_scene,
    smallest_gap,
)

POOL = np.random.default_rng(0).uniform(SCENE_LOW, SCENE_HIGH, (200, 3)).tolist()
truths = st.tuples(st.floats(-0.1, 0.5), st.floats(-0.4, 0.4), st.floats(0.76, 1.5))
seeds = st.integers(0, 2**32 - 1)
laws = st.sampled_from(["uniform", "same_episode", "other_episodes", "near_miss", "mirrored"])


def make_draw(truth, seed=0, **changes) -> Draw:
    rng = np.random.default_rng(seed)
    others = lambda: (POOL[i] for i in rng.permutation(len(POOL)))  # noqa: E731
    return Draw(**{"truth": truth, "rng": rng, "same_episode": POOL, "other_episodes": others} | changes)


def test_the_registry_has_all_laws():
    assert list(STRATEGIES) == ["uniform", "same_episode", "other_episodes", "near_miss", "mirrored"]


@given(laws, truths, st.integers(1, 7), st.sampled_from([0.02, 0.05, 0.1]), st.sampled_from([2, 3, 6]), seeds)
def test_options_keep_the_gap_and_stay_in_the_scene(strategy, truth, count, gap, decimals, seed):
    drawn = draw_distractors(strategy, make_draw(truth, seed), count, gap, decimals)
    printed_truth = [round(value, decimals) for value in truth]
    assert len(drawn) == count
    assert printed_truth not in drawn
    assert smallest_gap([printed_truth, *drawn]) >= gap - TOLERANCE
    assert all(value == round(value, decimals) for point in drawn for value in point)
    assert (np.array(drawn) >= SCENE_LOW - 0.5 * 10**-decimals).all()
    assert (np.array(drawn) <= SCENE_HIGH + 0.5 * 10**-decimals).all()


@given(laws, truths, seeds)
def test_the_same_generator_draws_the_same(strategy, truth, seed):
    first, second = (draw_distractors(strategy, make_draw(truth, seed), 3, 0.1) for _ in range(2))
    assert first == second


@given(truths, seeds)
def test_pool_strategies_draw_from_the_pool(truth, seed):
    for strategy in ("same_episode", "other_episodes"):
        for point in draw_distractors(strategy, make_draw(truth, seed), 3, 0.1):
            assert np.linalg.norm(POOL - np.array(point), axis=1).min() < 1e-5


@given(truths, seeds, st.sampled_from([0.2, 0.3, 0.5]))
def test_near_misses_are_as_near_as_asked(truth, seed, distance):
    drawn = draw_distractors("near_miss", make_draw(truth, seed, near_distance=distance), 3, 0.05)
    spread = np.linalg.norm(np.array([truth, *drawn])[:, None] - [truth, *drawn], axis=-1)
    assert spread.max() <= distance + 1e-5


@given(truths, seeds)
def test_mirror_images_share_every_coordinate_up_to_its_sign(truth, seed):
    reflections = list(islice(STRATEGIES["mirrored"](make_draw(truth, seed, other_episodes=tuple)), 7))
    assert len(reflections) == 7
    for point in reflections:
        from_middle = np.abs(np.subtract([point, truth], SCENE_MIDDLE))
        np.testing.assert_allclose(*from_middle, atol=1e-9)
        assert in_scene(point)


def test_mirrored_falls_back_on_mirror_images_of_other_answers():
    middle = SCENE_MIDDLE.tolist()  # its own mirror image
    drawn = draw_distractors("mirrored", make_draw(middle), 3, 0.1)
    assert smallest_gap([middle, *drawn]) >= 0.1 - TOLERANCE
    with pytest.raises(DistractorError, match="mirrored found only 0 of 3"):
        draw_distractors("mirrored", make_draw(middle, other_episodes=tuple), 3, 0.1)


@pytest.mark.parametrize(("strategy", "spread"), [("near_miss", 0.3), ("mirrored", 2.0)])
def test_the_truth_is_not_the_middle_of_its_options(strategy, spread):
    truth, centre_is_nearest = np.array([0.13, 0.2, 1.0]), 0
    for seed in range(400):
        drawn = np.array(draw_distractors(strategy, make_draw(truth, seed), 3, 0.1))
        assert np.linalg.norm(drawn - truth, axis=1).max() <= spread + 1e-6
        options = np.vstack([truth, drawn])
        from_mean = np.linalg.norm(options - options.mean(axis=0), axis=1).round(9)
        centre_is_nearest += (from_mean[0] == from_mean.min()) / (from_mean == from_mean.min()).sum()
    assert 60 < centre_is_nearest < 140  # 100 are expected by chance


def test_no_two_options_print_alike_without_a_gap():
    pool = [[0.101, 0, 1]] * 50 + [[0.2, 0, 1], [0.3, 0, 1], [0.4, 0, 1]]
    drawn = draw_distractors("other_episodes", make_draw([0.1, 0, 1], other_episodes=lambda: pool), 3, 0.0, 2)
    assert sorted(drawn) == [[0.2, 0, 1], [0.3, 0, 1], [0.4, 0, 1]]


@given(laws)
def test_a_gap_that_cannot_be_met_is_an_error(strategy):
    with pytest.raises(DistractorError, match="lower `minimum_gap`"):
        draw_distractors(strategy, make_draw([0.2, 0, 1.2]), 5, 2.0)


def test_more_options_than_candidates_is_an_error():
    few = make_draw([0.2, 0, 1.2], other_episodes=lambda: POOL[:2])
    with pytest.raises(DistractorError, match="other_episodes found only [012] of 3"):
        draw_distractors("other_episodes", few, 3, 0.0)


def test_an_unknown_strategy_is_an_error():
    with pytest.raises(ValueError, match="unknown distractor strategy 'nearby'.*mirrored"):
        draw_distractors("nearby", make_draw([0.2, 0, 1.2]), 3, 0.1)


def test_a_new_law_is_known_by_its_name():
    @distractor("above")
    def above(draw):
        yield from ([*draw.truth[:2], draw.truth[2] + 0.1 * i] for i in range(1, 9))

    try:
        assert draw_distractors("above", make_draw([0, 0, 1]), 2, 0.15, 2) == [[0, 0, 1.2], [0, 0, 1.4]]
    finally:
        del STRATEGIES["above"]
