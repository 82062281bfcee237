import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.movement import (
    HANDS,
    LABELS,
    STAY,
    describe_motion,
    describe_movement,
    hand_text,
    join_hand,
    movement_levels,
    movement_text,
    parse_movement,
    split_hand,
)

coordinates = st.floats(-1, 1, allow_nan=False)
deltas = st.tuples(coordinates, coordinates, coordinates)
labels = st.sampled_from(LABELS).map(movement_text)


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        ([0.2, 0, 0], "move forward"),
        ([-0.2, 0, 0], "move backward"),
        ([0, 0.2, 0], "move right"),
        ([0, -0.2, 0], "move left"),
        ([0, 0, 0.2], "move up"),
        ([0, 0, -0.2], "move down"),
        ([0.05, -0.05, -0.2], "slightly move forward, slightly move left, and move down"),
        ([0.1, 0.101, -0.2], "slightly move forward, move right, and move down"),  # exactly half is still slight
        ([0.15 - 0.1, 0, 0.1], "slightly move forward and move up"),
        ([0.01, 0, 0.3], "move up"),  # the dead zone itself gives no word
        ([0.0101, 0, 0.3], "slightly move forward and move up"),
        ([0.005, -0.005, 0.005], STAY),
    ],
)
def test_rule_of_the_paper(delta, text):
    assert describe_movement(delta) == text


def test_without_dead_zone_every_change_counts():
    assert describe_movement([0.001, 0, -0.2], dead_zone=0) == "slightly move forward and move down"
    assert describe_movement([0, 0, 0], dead_zone=0) == STAY


@pytest.mark.parametrize("delta", [[0, 0], [0, 0, float("nan")], [[0, 0, 0]]])
def test_a_movement_is_three_finite_numbers(delta):
    with pytest.raises(ValueError, match="three finite numbers"):
        describe_movement(delta)


@given(deltas)
def test_text_and_levels_are_inverse(delta):
    levels = movement_levels(delta)
    assert levels in LABELS
    assert parse_movement(movement_text(levels)) == levels
    assert parse_movement(movement_text(levels).upper() + ".") == levels


@given(deltas)
def test_the_opposite_displacement_has_the_opposite_words(delta):
    opposite = movement_levels([-value for value in delta])
    assert opposite == tuple(-level for level in movement_levels(delta))


@given(deltas)
def test_every_axis_follows_the_rule(delta):
    largest = max(map(abs, delta))
    for change, level in zip(delta, movement_levels(delta), strict=True):
        assert (level != 0) == (abs(change) > 0.01 + 1e-9)
        if level:
            assert np.sign(level) == np.sign(change)
            assert (abs(level) == 1) == (abs(change) <= largest / 2 + 1e-9)


@pytest.mark.parametrize("text", ["", "move", "move sideways", "move up and move down", "go up", "move up, move left"])
def test_other_text_is_no_movement(text):
    assert parse_movement(text) is None


@given(labels, st.sampled_from(list(HANDS)))
def test_hand_words_follow_the_label(label, hand):
    text = join_hand(label, hand)
    assert split_hand(text) == (label, hand)
    assert parse_movement(text) == parse_movement(f"{text}.".upper()) == parse_movement(label)
    assert hand_text(HANDS[hand]) == hand


@pytest.mark.parametrize("text", ["move up; fly", "move up; open the gripper and turn clockwise", "; open the gripper"])
def test_other_hand_words_are_no_movement(text):
    assert parse_movement(text) is None


@given(st.floats(0, 6.28), st.floats(0, 6.28), st.booleans(), st.booleans(), deltas)
def test_motion_of_a_hand_that_points_down(yaw, other_yaw, now_open, then_open, delta):
    state = [0.2, 0.1, 1.0, np.pi, 0.0, yaw, float(now_open)]
    target = [*np.add(state[:3], delta), np.pi, 0.0, other_yaw, float(then_open)]
    turn = (other_yaw - yaw + np.pi) % (2 * np.pi) - np.pi
    words = ["turn counterclockwise" if turn > 0 else "turn clockwise"] if abs(turn) > 0.1 else []
    words += [] if now_open == then_open else ["open the gripper" if then_open else "close the gripper"]
    label = describe_movement(np.subtract(target[:3], state[:3]))
    if abs(abs(turn) - 0.1) > 1e-6 and abs(abs(turn) - np.pi) > 1e-6:
        assert describe_motion(state, target) == "; ".join([label, *([" and ".join(words)] if words else [])])
    assert describe_motion(state[:3], target[:3]) == label
