"""Bounds of the scene that positions are sampled from: the workspace above the table."""

from collections.abc import Sequence

import numpy as np

Point = Sequence[float]  # x, y, z in metres, world frame; an extended state has further numbers after them

# Scene bounds of ARM and EmbodiedBench in metres, world frame; the floor is raised to RLBench's table top.
TABLE_TOP = 0.75
SCENE_LOW = np.array([-0.3, -0.5, TABLE_TOP])
SCENE_HIGH = np.array([0.7, 0.5, 1.6])
SCENE_MIDDLE = (SCENE_LOW + SCENE_HIGH) / 2

_LOW, _HIGH = SCENE_LOW.tolist(), SCENE_HIGH.tolist()


def in_scene(point: Point) -> bool:
    """Whether a position is within the scene bounds."""
    return all(low <= value <= high for low, value, high in zip(_LOW, point, _HIGH))
