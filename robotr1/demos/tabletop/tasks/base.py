"""The base class of tasks: objects, placement, instructions, waypoints and success."""

from dataclasses import dataclass

import numpy as np

from robotr1.demos.poses import downward, pose
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.world import TABLE_HEIGHT

# Where an object's middle may be: in RLBench's workspace, away from the robot's foot, in the front image.
PLACE_X, PLACE_Y = (0.06, 0.42), (-0.36, 0.36)


@dataclass(frozen=True, eq=False)
class Waypoint:
    """A tip pose [7] to move to, and the gripper command there (1.0 open, 0.0 close, None for no command)."""

    name: str
    pose: np.ndarray
    gripper: float | None
    subtask: str


class Task:
    """Base class of the tabletop's tasks; `plan` has one step in words for each waypoint."""

    name: str
    objects: tuple[str, ...]  # one word each: the object that is moved, then (where there is one) its goal
    plan: tuple[str, ...]
    variations = 1
    can_hold = False  # whether the gripper carries the object away

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """Add the task's bodies to a spec that has table and robot."""
        raise NotImplementedError

    def place(self, scene, rng: np.random.Generator) -> None:
        """Put the objects at random places, at rest; the arm is at home."""
        raise NotImplementedError

    def instructions(self, variation: int = 0) -> list[str]:
        """Return the instruction in several wordings."""
        raise NotImplementedError

    def script(self, variation: int = 0) -> tuple[str, ...]:
        """Return the plan of a variation: one action in words for each waypoint."""
        return self.plan

    def waypoints(self, scene) -> list[Waypoint]:
        """Return the tip's waypoints for the current placement."""
        raise NotImplementedError

    def success(self, scene) -> bool:
        """Return whether the physical state is the task's goal."""
        raise NotImplementedError

    def positions(self, scene) -> np.ndarray:
        """Return the positions [len(objects),3] of the task's objects in metres."""
        raise NotImplementedError

    def update(self, scene) -> None:
        """Update the world after each frame, for example light a bulb."""

    def yield_to_tip(self, scene) -> None:
        """Without physics: move parts that yield (a button) to where the tip would push them."""

    def advance(self, scene, done: int) -> None:
        """Without physics: put objects where the first `done` waypoints leave them for good (blocks of a tower)."""

    def state(self):
        """Return what `update` changed so far, for `restore`."""
        return None

    def restore(self, scene, state) -> None:
        """Restore what `state` returned."""

    def hold(self, scene) -> None:
        """Put the object into the gripper (only if `can_hold`)."""
        raise NotImplementedError


def random_place(rng: np.random.Generator, margin: float = 0.0) -> np.ndarray:
    """Sample a point [3] on the table top, `margin` metres inside the area for objects."""
    x = rng.uniform(PLACE_X[0] + margin, PLACE_X[1] - margin)
    y = rng.uniform(PLACE_Y[0] + margin, PLACE_Y[1] - margin)
    return np.array([x, y, TABLE_HEIGHT])


def grasp_yaw(yaw: float) -> float:
    """Return the equivalent yaw with the least turn of the wrist: half a turn gives the same grasp."""
    return (yaw + np.pi / 2) % np.pi - np.pi / 2


def above(point: np.ndarray, height: float, yaw: float = 0.0) -> np.ndarray:
    """Return a tip pose [7] that points down, `height` metres above a point [3]."""
    return pose(np.asarray(point) + [0, 0, height], downward(yaw))


def add_free_body(spec: mujoco.MjSpec, name: str):
    """Add a body that falls, slides and can be carried."""
    body = spec.worldbody.add_body(name=name)
    body.add_freejoint(name=name)
    return body
