"""Wrong movements are labels, all different, near the true one, and drawn as their strategy says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.distractors.movements import draw_movements
from robotr1.questions.distractors.positions import DistractorError
from robotr1.questions.movement import LABELS, movement_text, parse_movement, word_differences

texts = st.sampled_from([movement_text(levels) for levels in LABELS])
seeds = st.integers(0, 2**32 - 1)
names = st.sampled_from(["uniform", "same_episode", "other_episodes", "near_miss", "mirrored", "a new one"])


@given(names, texts, st.integers(1, 7), seeds, st.dictionaries(texts, st.integers(1, 100), max_size=5))
def test_labels_differ_and_neighbour_the_truth(strategy, truth, count, seed, common):
    drawn = draw_movements(strategy, truth, count, np.random.default_rng(seed), common)
    assert len({truth, *drawn}) == count + 1
    levels = [parse_movement(label) for label in drawn]
    assert None not in levels
    if strategy != "mirrored":
        assert all(word_differences(parse_movement(truth), label) in (1, 2) for label in levels)
    assert draw_movements(strategy, truth, count, np.random.default_rng(seed), common) == drawn


@given(texts, seeds)
def test_four_options_all_neighbour_each_other(truth, seed):
    options = [truth, *draw_movements("uniform", truth, 3, np.random.default_rng(seed))]
    levels = [parse_movement(label) for label in options]
    assert all(word_differences(a, b) <= 2 for a in levels for b in levels)


def test_common_answers_are_drawn_more_often():
    rng, common = np.random.default_rng(0), {"move left and move down": 200}
    for strategy, often in (("other_episodes", True), ("same_episode", True), ("uniform", False)):
        drawn = [label for _ in range(200) for label in draw_movements(strategy, "move down", 3, rng, common)]
        assert (drawn.count("move left and move down") > 180) == often


@given(seeds)
def test_mirrored_reverses_directions(seed):
    truth = "move forward, slightly move left, and move down"
    for label in draw_movements("mirrored", truth, 7, np.random.default_rng(seed)):
        assert [abs(level) for level in parse_movement(label)] == [2, 1, 2]


@given(seeds)
def test_a_near_miss_changes_the_word_of_one_axis_where_it_can(seed):
    truth = parse_movement("move forward, move left, and move down")
    options = [
        parse_movement(text)
        for text in draw_movements("near_miss", movement_text(truth), 3, np.random.default_rng(seed))
    ]
    changed = [{axis for axis in range(3) if label[axis] != truth[axis]} for label in options]
    assert len(changed[0]) == 1
    assert changed == [changed[0]] * 3


def test_errors():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="not a movement label"):
        draw_movements("uniform", "go up", 3, rng)
    with pytest.raises(DistractorError, match="fewer than 90 neighbouring"):
        draw_movements("uniform", "move up", 90, rng)
