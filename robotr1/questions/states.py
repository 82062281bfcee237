"""States of the gripper: the position of its tip, or the extended state with rotation and opening.

The paper's questions are about positions only, which it names as its first limitation (appendix A). The extended state
is the paper's full one: [x, y, z, roll, pitch, yaw, gripper], in metres and radians, gripper 1 open, 0 closed.

Convention: roll, pitch and yaw are turns about the *fixed* world axes x, y and z, in this order (scipy's "xyz"), of
the tip frame in `gripper_pose` (quaternion xyzw). Roll and yaw are in [0, 2π) and pitch in [-π/2, π/2]: the usual
(-π, π] would jump from 3.14 to -3.14 just where a gripper points straight down (roll π, yaw π in RLBench's home pose).
Where the gripper is level along x (pitch ±π/2), roll and yaw are not unique; scipy sets yaw to 0 there.
"""

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

StateKind = Literal["position", "extended"]
NAMES: dict[StateKind, tuple[str, ...]] = {
    "position": ("x", "y", "z"),
    "extended": ("x", "y", "z", "roll", "pitch", "yaw", "gripper"),
}
ANGLES = slice(3, 6)  # of an extended state


def states(kind: StateKind, gripper_pose: np.ndarray, gripper_open: np.ndarray) -> np.ndarray:
    """The states [T, 3] or [T, 7] of an episode's `gripper_pose` [T, 7] and `gripper_open` [T].

    Raises ValueError where a quaternion is zero or not finite, which is no rotation.
    """
    pose = np.asarray(gripper_pose, dtype=float)
    if kind == "position":
        return pose[:, :3]
    return np.column_stack([pose[:, :3], roll_pitch_yaw(pose[:, 3:]), np.asarray(gripper_open, dtype=float) > 0.5])


def roll_pitch_yaw(quaternions: np.ndarray) -> np.ndarray:
    """Roll, pitch and yaw [T, 3] in radians of quaternions xyzw [T, 4], by the convention above. Raises ValueError."""
    if not np.isfinite(quaternions).all():
        raise ValueError("a quaternion of gripper_pose holds a number that is not finite")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Gimbal lock", category=UserWarning)
        angles = Rotation.from_quat(quaternions).as_euler("xyz")
    angles[:, [0, 2]] %= 2 * np.pi
    return angles


def is_extended(state: Sequence[float]) -> bool:
    """Whether a state has rotation and gripper besides the position."""
    return len(state) == len(NAMES["extended"])


def state_distance(one: Sequence[float], other: Sequence[float]) -> float:
    """L1 distance: the sum of absolute differences (paper, figure 13); angles differ by the shorter arc.

    A metre, a radian and a wrong gripper count 1 each. Raises ValueError where the sizes differ.
    """
    if len(one) != len(other):
        raise ValueError(f"states of {len(one)} and {len(other)} numbers have no distance")
    difference = np.subtract(one, other)
    if is_extended(other):
        difference[ANGLES] = (difference[ANGLES] + np.pi) % (2 * np.pi) - np.pi
    return float(np.abs(difference).sum())
