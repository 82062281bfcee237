"""Read the number series of a recording's observations, checked frame by frame."""

from pathlib import Path

import numpy as np

from robotr1.demos.layout import EpisodeError
from robotr1.linear import norm

NAMES_OF_2019 = {
    "gripper_pose": "end_effector_pose",
    "gripper_open": "end_effector_open",
    "joint_positions": "joint_angles",
}
NUMBER = (int, float, np.generic)
UNIT = 0.01  # the largest difference of a quaternion's length from 1


def read_series(observations: list, name: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    """Stack the field `name` of all observations, float64 [T,*shape]; recordings of 2019 have other names.

    Raises EpisodeError, naming `path` and the frame, for a missing field, another shape or a non-finite number.
    """
    values = []
    for frame, observation in enumerate(observations):
        value = getattr(observation, name, None)
        if value is None:
            value = getattr(observation, NAMES_OF_2019.get(name, name), None)
        if value is None:
            raise EpisodeError(
                f"{path}: frame {frame} has no {name}. Fix: record with ObservationConfig.{name} set to True."
            )
        values.append(_numbers(value, shape, name, frame, path))
    return np.stack(values)


def read_poses(observations: list, path: Path) -> np.ndarray:
    """Stack the gripper's poses [T,7]; raises EpisodeError also if a quaternion's length is not 1."""
    poses = read_series(observations, "gripper_pose", (7,), path)
    lengths = norm(poses[:, 3:])
    wrong = np.flatnonzero(np.abs(lengths - 1) > UNIT)
    if len(wrong):
        raise EpisodeError(
            f"{path}: frame {wrong[0]}: gripper_pose must end with a unit quaternion (xyzw), found length "
            f"{lengths[wrong[0]]:.3g}. Fix: record the episode again."
        )
    return poses


def read_optional_series(observations: list, name: str, path: Path) -> np.ndarray | None:
    """Stack the field `name` of all observations; None if a frame has none."""
    values = [getattr(observation, name, None) for observation in observations]
    if any(value is None for value in values):
        return None
    shape = _as_array(values[0]).shape
    return np.stack([_numbers(value, shape, name, frame, path) for frame, value in enumerate(values)])


def _as_array(value) -> np.ndarray:
    """Convert a number, an array or a flat list of numbers (as in 2019) to float64; anything else to one nan.

    Nested lists are not followed: a small file can share them so often that they would fill the memory.
    """
    flat = isinstance(value, list | tuple) and all(isinstance(item, NUMBER) for item in value)
    try:
        return np.asarray(value if flat or isinstance(value, (np.ndarray, *NUMBER)) else np.nan, dtype=np.float64)
    except OverflowError:  # an integer with too many digits
        return np.full((), np.nan)


def _numbers(value, shape: tuple[int, ...], name: str, frame: int, path: Path) -> np.ndarray:
    array = _as_array(value)
    if array.shape != shape:
        raise EpisodeError(
            f"{path}: frame {frame}: {name} must be {shape or 'one number'}, found shape {array.shape}. Fix: the "
            "frames of an episode must all hold the same fields; record it again."
        )
    if not np.isfinite(array).all():
        raise EpisodeError(f"{path}: frame {frame}: {name} is not a finite number. Fix: record the episode again.")
    return array
