"""Straight lines from pose to pose with a trapezoidal speed profile."""

import math

import numpy as np

from robotr1.demos.poses import axis_angle, conjugate, multiply, pose, rotation_vector
from robotr1.linear import norm

SPEED = 0.25  # metres per second along the line
ACCELERATION = 3.0  # metres per second squared: the arm leaves rest (in ARM's sense) within two frames
LEVER = 0.25  # metres of line that equal one radian of rotation


def straight_line(start: np.ndarray, goal: np.ndarray, frame_seconds: float) -> np.ndarray:
    """Return the tip poses [N,7] of the frames after `start`; the last one is `goal`.

    Positions follow a line and orientations the shortest rotation, both with `trapezoid`'s progress. N is the number of
    whole frames that the motion takes, at least 1.
    """
    turn = rotation_vector(multiply(goal[3:], conjugate(start[3:])))
    angle = float(norm(turn))
    length = max(float(norm(goal[:3] - start[:3])), LEVER * angle)
    axis = turn / angle if angle > 1e-9 else np.array([0.0, 0.0, 1.0])
    return np.array(
        [
            pose(start[:3] + share * (goal[:3] - start[:3]), multiply(axis_angle(axis, share * angle), start[3:]))
            for share in trapezoid(length, frame_seconds)
        ]
    )


def trapezoid(length: float, frame_seconds: float) -> np.ndarray:
    """Return the share of the path [N] done at the end of each frame, from above 0 to exactly 1.

    The motion accelerates to `SPEED` (or to the middle of a short path) and decelerates, slowed a little so that it
    ends with a whole frame.
    """
    ramp = min(SPEED / ACCELERATION, math.sqrt(length / ACCELERATION))  # seconds of speeding up
    cruise = max(0.0, length / SPEED - SPEED / ACCELERATION)  # seconds at full speed
    total = 2 * ramp + cruise
    frames = max(1, math.ceil(total / frame_seconds - 1e-9))
    if length == 0.0:
        return np.ones(1)
    time = np.arange(1, frames + 1) * total / frames
    rising = ACCELERATION * np.minimum(time, ramp) ** 2 / 2
    steady = ACCELERATION * ramp * np.clip(time - ramp, 0, cruise)
    left = np.clip(total - time, 0, ramp)
    falling = ACCELERATION * (ramp**2 - left**2) / 2
    way = rising + steady + falling
    return way / way[-1]
