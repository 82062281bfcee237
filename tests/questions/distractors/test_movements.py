"""Wrong movements are different labels near the true one, sampled as their strategy says."""

import numpy as np
import pytest
from draws import movement_draw
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.distractors.movements import movement_distractors, sample_movements
from robotr1.questions.distractors.strategies import DistractorError
from robotr1.questions.movement import LABELS, movement_text, parse_movement, word_differences
from robotr1.settings import DISTRACTORS

texts = st.sampled_from([movement_text(levels) for levels in LABELS])
seeds = st.integers(0, 2**32 - 1)
strategies = st.sampled_from([name for name in DISTRACTORS if name != "paired"])  # sets: test_paired.py


@given(strategies, texts, st.integers(1, 7), seeds, st.dictionaries(texts, st.integers(1, 100), max_size=5))
def test_labels_differ_and_neighbour_the_truth(strategy, truth, count, seed, counts):
    drawn, again = (
        movement_distractors(movement_draw(strategy, truth, np.random.default_rng(seed), counts, options=count + 1))
        for _ in range(2)
    )
    assert drawn == again
    assert len({truth, *drawn}) == count + 1
    levels = [parse_movement(label) for label in drawn]
    assert None not in levels
    if strategy != "mirrored":
        assert all(word_differences(parse_movement(truth), label) in (1, 2) for label in levels)


@given(texts, seeds)
def test_four_options_all_neighbour_each_other(truth, seed):
    options = [truth, *sample_movements(truth, 3, np.random.default_rng(seed))]
    levels = [parse_movement(label) for label in options]
    assert all(word_differences(a, b) <= 2 for a in levels for b in levels)


def test_the_truth_is_not_the_middle_of_the_options():
    middle = 0.0
    for seed in range(400):
        drawn = sample_movements("move left and move down", 3, np.random.default_rng(seed))
        options = [parse_movement(text) for text in ("move left and move down", *drawn)]
        differences = np.array([sum(word_differences(one, other) for other in options) for one in options])
        middle += (differences[0] == differences.min()) / (differences == differences.min()).sum()
    assert middle / 400 == pytest.approx(0.25, abs=0.06)


def test_common_answers_are_drawn_more_often():
    rng, counts = np.random.default_rng(0), {"move left and move down": 200}
    for strategy, often in (("other_episodes", True), ("same_episode", True), ("uniform", False)):
        draws = [movement_draw(strategy, "move down", rng, counts) for _ in range(200)]
        drawn = [label for draw in draws for label in movement_distractors(draw)]
        assert (drawn.count("move left and move down") > 180) == often


@given(seeds)
def test_mirrored_reverses_directions(seed):
    truth = "move forward, slightly move left, and move down"
    draw = movement_draw("mirrored", truth, np.random.default_rng(seed), options=8)
    for label in movement_distractors(draw):
        assert [abs(level) for level in parse_movement(label)] == [2, 1, 2]


@given(seeds)
def test_a_near_miss_changes_the_word_of_one_axis_where_it_can(seed):
    text = "move forward, move left, and move down"
    truth = parse_movement(text)
    drawn = movement_distractors(movement_draw("near_miss", text, np.random.default_rng(seed)))
    changed = [{axis for axis in range(3) if parse_movement(label)[axis] != truth[axis]} for label in drawn]
    assert len(changed[0]) == 1
    assert changed == [changed[0]] * 3


def test_errors():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="not a movement label"):
        sample_movements("go up", 3, rng)
    with pytest.raises(DistractorError, match="fewer than 90 neighbouring"):
        sample_movements("move up", 90, rng)
