"""The registry of strategies, and where each one takes its positions from."""

import subprocess
import sys
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from draws import POSITIONS, position_draw
from hypothesis import given
from hypothesis import strategies as st
from small_settings import QUESTIONS

from robotr1 import settings as all_settings
from robotr1.questions.build import build_questions
from robotr1.questions.distractors.positions import TOLERANCE, sample_positions, smallest_gap
from robotr1.questions.distractors.scene import SCENE_MIDDLE, in_scene
from robotr1.questions.distractors.strategies import (
    STRATEGIES,
    DistractorError,
    Movements,
    Strategy,
    register_strategy,
)
from robotr1.settings import DISTRACTORS, SettingsError

truths = st.tuples(st.floats(-0.1, 0.5), st.floats(-0.4, 0.4), st.floats(0.76, 1.5))
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture
def above():
    """A strategy that is registered here, without movements()."""

    @register_strategy("above")
    class Above(Strategy):
        def positions(self, draw):
            yield from ([*draw.position[:2], draw.position[2] + 0.1 * i] for i in range(1, 9))

    yield Above
    del STRATEGIES["above"]
    DISTRACTORS.remove("above")


def test_settings_name_exactly_the_strategies_of_the_package():
    """In a fresh process: registering must not be what makes a name of the package valid."""
    program = (
        "from robotr1.settings import DISTRACTORS; names = list(DISTRACTORS); "
        "from robotr1.questions.distractors.strategies import STRATEGIES; assert list(STRATEGIES) == names, STRATEGIES"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_registered_strategy_is_a_valid_setting_and_builds(above, study, settings):
    chosen = replace(settings, distractors="above", types=["waypoint", "state"], minimum_gap=0.15)
    assert sample_positions(position_draw("above", [0, 0, 1], minimum_gap=0.15, options=3)) == [
        [0, 0, 1.2],
        [0, 0, 1.4],
    ]
    for question in build_questions(*study, chosen)["train"]:
        assert len({option.rpartition(",")[0] for option in question.options}) == 1


def test_a_strategy_without_movements_is_refused_for_movement_questions(above, study, settings):
    with pytest.raises(DistractorError, match=r"above has no movements\(\); add the method, or remove movement"):
        build_questions(*study, replace(settings, distractors="above"))
    above.movements = lambda self, draw: Movements()
    assert build_questions(*study, replace(settings, distractors="above", types=["movement"]))["train"]


def test_an_unknown_strategy_is_refused_wherever_settings_are_made():
    with pytest.raises(ValueError, match="distractors: got 'nearby', expected one of uniform, .*register_strategy"):
        replace(QUESTIONS, distractors="nearby")
    values = vars(QUESTIONS) | {"distractors": "nearby"}
    with pytest.raises(SettingsError, match=r"parameters cell: build_questions\.distractors: got 'nearby'"):
        all_settings.from_notebook("build_questions", values)


def test_a_strategy_without_positions_is_refused():
    with pytest.raises(TypeError, match=r"strategy 'empty': Empty has no positions\(self, draw\)"):

        @register_strategy("empty")
        class Empty(Strategy):
            pass

    assert "empty" not in STRATEGIES and "empty" not in DISTRACTORS


@given(truths, seeds, st.sampled_from(["same_episode", "other_episodes"]))
def test_positions_of_episodes_are_drawn_from_there(truth, seed, strategy):
    for point in sample_positions(position_draw(strategy, truth, seed)):
        assert np.linalg.norm(POSITIONS - np.array(point), axis=1).min() < 1e-5


@given(truths, seeds, st.sampled_from([0.2, 0.3, 0.5]))
def test_near_misses_are_within_the_near_distance(truth, seed, distance):
    drawn = sample_positions(position_draw("near_miss", truth, seed, near_distance=distance, minimum_gap=0.05))
    spread = np.linalg.norm(np.array([truth, *drawn])[:, None] - [truth, *drawn], axis=-1)
    assert spread.max() <= distance + 1e-5


@given(truths, seeds)
def test_mirror_images_share_every_coordinate_up_to_its_sign(truth, seed):
    reflections = list(islice(STRATEGIES["mirrored"].positions(position_draw("mirrored", truth, seed, answers=[])), 7))
    assert len(reflections) == 7
    for point in reflections:
        from_middle = np.abs(np.subtract([point, truth], SCENE_MIDDLE))
        np.testing.assert_allclose(*from_middle, atol=1e-9)
        assert in_scene(point)


def test_mirrored_falls_back_on_mirror_images_of_other_answers():
    middle = SCENE_MIDDLE.tolist()  # its own mirror image
    drawn = sample_positions(position_draw("mirrored", middle))
    assert smallest_gap([middle, *drawn]) >= 0.1 - TOLERANCE
    with pytest.raises(DistractorError, match="mirrored found only 0 of 3"):
        sample_positions(position_draw("mirrored", middle, answers=[]))


@pytest.mark.parametrize(("strategy", "spread"), [("near_miss", 0.3), ("mirrored", 2.0)])
def test_the_truth_is_not_the_middle_of_its_options(strategy, spread):
    truth, centre_is_nearest = np.array([0.13, 0.2, 1.0]), 0
    for seed in range(400):
        drawn = np.array(sample_positions(position_draw(strategy, truth, seed)))
        assert np.linalg.norm(drawn - truth, axis=1).max() <= spread + 1e-6
        options = np.vstack([truth, drawn])
        from_mean = np.linalg.norm(options - options.mean(axis=0), axis=1).round(9)
        centre_is_nearest += (from_mean[0] == from_mean.min()) / (from_mean == from_mean.min()).sum()
    assert 60 < centre_is_nearest < 140  # 100 are expected by chance
