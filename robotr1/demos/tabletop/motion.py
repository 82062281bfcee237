"""A straight line from pose to pose, with a speed that rises, stays and falls (a trapezoid)."""

import math

import numpy as np

from robotr1.demos.tabletop.poses import axis_angle, conjugate, multiply, pose, rotation_vector

SPEED = 0.25  # metres per second along the line
ACCELERATION = 3.0  # metres per second squared: from standstill the arm is fast (in ARM's sense) within two frames
LEVER = 0.25  # metres of line that one radian of turning counts as


def straight_line(start: np.ndarray, goal: np.ndarray, frame_seconds: float) -> np.ndarray:
    """Tip poses [N,7] of the frames after `start`; the last one is `goal`.

    Positions move along a line and orientations along the shortest turn, both with `trapezoid`'s progress. N is the
    number of whole frames that the motion needs, at least 1.
    """
    turn = rotation_vector(multiply(goal[3:], conjugate(start[3:])))
    angle = float(np.linalg.norm(turn))
    length = max(float(np.linalg.norm(goal[:3] - start[:3])), LEVER * angle)
    axis = turn / angle if angle > 1e-9 else np.array([0.0, 0.0, 1.0])
    return np.array(
        [
            pose(start[:3] + share * (goal[:3] - start[:3]), multiply(axis_angle(axis, share * angle), start[3:]))
            for share in trapezoid(length, frame_seconds)
        ]
    )


def trapezoid(length: float, frame_seconds: float) -> np.ndarray:
    """Share of the way [N] done at the end of each frame, from above 0 to exactly 1.

    `ACCELERATION` up to `SPEED` (or to the middle of a short way) and down again, slowed a little so that the
    motion ends with a whole frame.
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
