"""Scenes and answer options for the synthetic examples of the tiny base."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.questions.prompts import LETTERS, format_state

DECIMALS = 2
GAP = 0.1  # metres between two options
NEAR, FAR = 0.03, 0.12  # metres: standard deviations of an option around a named position
# x, y, z bounds of options in metres: where grippers and objects of the tabletop are
BOUNDS = np.array([[-0.1, -0.45, 0.75], [0.62, 0.45, 1.5]])

NAMES = ["gripper", *sorted({name for objects in OBJECTS.values() for name in objects})]


@dataclass(frozen=True)
class Scene:
    """The simulator's ground truth of a frame: task, gripper tip [3] and the task's objects [K,3], in metres."""

    task: str
    gripper: np.ndarray
    objects: np.ndarray

    @property
    def named_positions(self) -> list[tuple[str, np.ndarray]]:
        """The gripper and the objects, each with its name and position."""
        return [("gripper", self.gripper), *zip(OBJECTS[self.task], self.objects, strict=True)]


def random_scene(rng: np.random.Generator) -> Scene:
    """A scene without image, for examples that are text only."""
    task = sorted(OBJECTS)[rng.integers(len(OBJECTS))]
    return Scene(task, rng.uniform(*BOUNDS), rng.uniform(*BOUNDS, size=(len(OBJECTS[task]), 3)))


def sample_options(anchors: Sequence[np.ndarray], count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """`count` positions [3] including the anchors, at least `GAP` apart, shuffled.

    Many of the others share an earlier one's height or surroundings, as the study's distractors do.
    """
    options = list(anchors)
    while len(options) < count:
        position = rng.uniform(*BOUNDS)
        near = options[rng.integers(len(options))]
        if rng.random() < 0.4:
            position[2] = near[2] + rng.normal(0, 0.02)
        elif rng.random() < 0.4:
            position = np.clip(near + rng.normal(0, 0.15, 3), *BOUNDS)
        if all(is_apart(position, other) for other in options):
            options.append(position)
    return [options[i] for i in rng.permutation(len(options))]


def is_apart(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two positions can both be options."""
    return bool(np.linalg.norm(one - other) >= GAP)


def nearest_letter(position: np.ndarray, options: Sequence[np.ndarray]) -> str:
    """The letter of the option nearest to `position`."""
    distances = [np.linalg.norm(position - option) for option in options]
    return LETTERS[int(np.argmin(distances))]


def option_texts(options: Sequence[np.ndarray]) -> list[str]:
    return [format_state(option, DECIMALS) for option in options]
