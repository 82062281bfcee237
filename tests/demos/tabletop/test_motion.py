import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.demos.poses import downward, pose
from robotr1.demos.tabletop.motion import ACCELERATION, SPEED, straight_line, trapezoid

FRAME = 0.05


@given(st.floats(1e-4, 2.0))
def test_trapezoid_rises_to_one_within_its_limits(length):
    way = np.concatenate([[0.0], length * trapezoid(length, FRAME)])
    speed = np.diff(way) / FRAME
    assert way[-1] == length
    assert (speed > 0).all()
    assert speed.max() <= SPEED + 1e-9
    assert np.abs(np.diff(speed)).max(initial=0) <= ACCELERATION * FRAME + 1e-9


@given(st.floats(0.02, 2.0))
def test_trapezoid_takes_the_time_that_physics_asks_for(length):
    shortest = 2 * np.sqrt(length / ACCELERATION)
    if length > SPEED**2 / ACCELERATION:
        shortest = length / SPEED + SPEED / ACCELERATION
    assert shortest <= len(trapezoid(length, FRAME)) * FRAME + 1e-9 <= shortest + FRAME + 2e-9


def test_no_way_takes_one_frame():
    np.testing.assert_array_equal(trapezoid(0.0, FRAME), [1.0])


def test_line_keeps_to_the_line_and_turns_the_short_way():
    start, goal = pose([0.3, 0.0, 1.4], downward(0.0)), pose([0.1, 0.2, 0.9], downward(1.2))
    poses = straight_line(start, goal, FRAME)
    np.testing.assert_allclose(poses[-1, :3], goal[:3])
    assert abs(np.dot(poses[-1, 3:], goal[3:])) == pytest.approx(1.0)
    along = (poses[:, :3] - start[:3]) @ (goal[:3] - start[:3]) / np.linalg.norm(goal[:3] - start[:3]) ** 2
    np.testing.assert_allclose(poses[:, :3], start[:3] + along[:, None] * (goal[:3] - start[:3]), atol=1e-12)
    turned = 2 * np.arccos(np.clip(np.abs(poses[:, 3:] @ start[3:]), 0, 1))
    np.testing.assert_allclose(turned, 1.2 * along, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(poses[:, 3:], axis=1), 1.0)
