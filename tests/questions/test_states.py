import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from robotr1.demos.episode import read_episode
from robotr1.questions.states import is_extended, roll_pitch_yaw, state_distance, states

QUATERNION = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)
NUMBER = st.floats(-2, 2)
POSE = np.array([[0.3, -0.1, 1.2, 0.0, 1.0, 0.0, 0.0], [0.3, -0.1, 1.0, 0.0, 1.0, 0.0, 1e-4]])


@given(QUATERNION)
def test_angles_give_the_rotation_back(q):
    roll, pitch, yaw = roll_pitch_yaw(np.array([q]))[0]
    assert 0 <= roll < 2 * np.pi and 0 <= yaw < 2 * np.pi and abs(pitch) <= np.pi / 2
    turns = [Rotation.from_rotvec(turn) for turn in ([0, 0, yaw], [0, pitch, 0], [roll, 0, 0])]
    by_hand = turns[0] * turns[1] * turns[2]  # first about x, then y, then z, all fixed axes
    assert (by_hand.inv() * Rotation.from_quat(q)).magnitude() < 1e-6


def test_pointing_down_does_not_jump():
    """xyzw [0, 1, 0, 0] is a gripper that points down; scipy's own range puts it at either end."""
    tilts = np.array([[x, 1.0, z, w] for x in (-1e-5, 1e-5) for z in (-1e-5, 1e-5) for w in (-1e-5, 1e-5)])
    angles = roll_pitch_yaw(tilts)
    np.testing.assert_allclose(angles, [[np.pi, 0, np.pi]] * len(tilts), atol=1e-3)


def test_level_grippers_give_no_warning():
    level = Rotation.from_euler("xyz", [0.3, np.pi / 2, 0]).as_quat()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(roll_pitch_yaw(np.array([level]))).all()


def test_states_of_both_kinds():
    gripper = np.array([1.0, 0.0])
    np.testing.assert_array_equal(states("position", POSE, gripper), POSE[:, :3])
    extended = states("extended", POSE, gripper)
    assert extended.shape == (2, 7)
    np.testing.assert_array_equal(extended[:, :3], POSE[:, :3])
    np.testing.assert_array_equal(extended[:, 6], gripper)
    assert is_extended(extended[0]) and not is_extended(POSE[0, :3])


@pytest.mark.parametrize("bad", [[0.0, 0, 0, 0], [np.nan, 0, 0, 1]])
def test_no_rotation_no_state(bad):
    pose = np.array([[0.0, 0, 0, *bad]])
    with pytest.raises(ValueError, match=r"quaternion|norm"):
        states("extended", pose, np.array([1.0]))


@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=3, max_size=3))
def test_distance_of_positions_is_the_sum_of_differences(pairs):
    one, other = zip(*pairs)
    assert state_distance(one, other) == pytest.approx(sum(abs(a - b) for a, b in pairs))
    assert state_distance(one, other) == state_distance(other, one)


@given(st.tuples(*[st.floats(0, 6.28)] * 3), st.tuples(*[st.floats(0, 6.28)] * 3), st.integers(-2, 2))
def test_angles_differ_by_the_shorter_arc(one, other, turns):
    a, b = [0.1, 0.2, 0.8, *one, 1], [0.1, 0.2, 0.8, *other, 0]
    shortest = sum(min(abs(x - y + 2 * np.pi * k) for k in range(-3, 4)) for x, y in zip(one, other))
    turned = [*a[:3], *(angle + 2 * np.pi * turns for angle in one), 1]
    assert state_distance(a, b) == pytest.approx(1 + shortest)
    assert state_distance(turned, b) == pytest.approx(1 + shortest)


@pytest.mark.parametrize(("one", "other"), [([1, 2, 3], [1, 2, 3, 0, 0, 0, 1]), ([1], [1, 2, 3]), ([], [1, 2, 3])])
def test_states_of_other_sizes_have_no_distance(one, other):
    with pytest.raises(ValueError, match="numbers have no distance"):
        state_distance(one, other)


def test_a_real_recording_moves_smoothly(real_folder):
    """No number of a state jumps from frame to frame: the ranges of the angles do not cut through the arm's way."""
    episode = read_episode(real_folder)
    path = states("extended", episode.gripper_pose, episode.gripper_open)
    assert np.abs(np.diff(path, axis=0)).max() < 0.2
    np.testing.assert_allclose(path[0, 3:6], [np.pi, 0, np.pi], atol=0.3)
