"""What a task is: objects, where they may stand, what to say, where the tip goes, and when it is done."""

from dataclasses import dataclass

import numpy as np

from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.poses import downward, pose
from robotr1.demos.tabletop.world import TABLE_HEIGHT

# Where an object's middle may stand: inside RLBench's workspace, off the robot's foot, inside the front image.
PLACE_X, PLACE_Y = (0.06, 0.42), (-0.36, 0.36)


@dataclass(frozen=True, eq=False)
class Waypoint:
    """A tip pose [7] to move to; then, unless None, the gripper's command there (1.0 open, 0.0 close)."""

    name: str
    pose: np.ndarray
    gripper: float | None
    subtask: str


class Task:
    """Base of the tabletop's tasks; `plan` has one step in words for each waypoint."""

    name: str
    things: tuple[str, ...]  # what the task is about in one word each: the object, then (where there is one) its goal
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
        """The instruction in several wordings."""
        raise NotImplementedError

    def script(self, variation: int = 0) -> tuple[str, ...]:
        """The `plan` of a variation: one action in words for each waypoint."""
        return self.plan

    def waypoints(self, scene) -> list[Waypoint]:
        """The tip's way for the present placement."""
        raise NotImplementedError

    def success(self, scene) -> bool:
        """Whether the physical state is the task's goal."""
        raise NotImplementedError

    def positions(self, scene) -> np.ndarray:
        """[len(things), 3]: where each of the task's things is, in metres."""
        raise NotImplementedError

    def update(self, scene) -> None:
        """What the world does of itself after each frame, such as a bulb that lights up."""

    def yield_to_tip(self, scene) -> None:
        """Without physics: let what gives way (a button) give way to the tip, wherever the tip is now."""

    def advance(self, scene, done: int) -> None:
        """Without physics: put away what the first `done` waypoints have left in place (blocks of a tower)."""

    def state(self):
        """What `update` changed so far, for `restore`."""
        return None

    def restore(self, scene, state) -> None:
        """Bring back what `state` returned."""

    def hold(self, scene) -> None:
        """Put the object into the gripper, wherever the tip is now (only where `can_hold`)."""
        raise NotImplementedError


def random_place(rng: np.random.Generator, margin: float = 0.0) -> np.ndarray:
    """A point [3] on the table top, `margin` metres inside the area for objects."""
    x = rng.uniform(PLACE_X[0] + margin, PLACE_X[1] - margin)
    y = rng.uniform(PLACE_Y[0] + margin, PLACE_Y[1] - margin)
    return np.array([x, y, TABLE_HEIGHT])


def grasp_yaw(yaw: float) -> float:
    """The same grasp with the least turn of the wrist: a hand turned by half a turn grasps alike."""
    return (yaw + np.pi / 2) % np.pi - np.pi / 2


def above(point: np.ndarray, height: float, yaw: float = 0.0) -> np.ndarray:
    """Tip pose [7] pointing down, `height` metres over a point [3]."""
    return pose(np.asarray(point) + [0, 0, height], downward(yaw))


def add_free_body(spec: mujoco.MjSpec, name: str):
    """A body that falls, slides and can be carried."""
    body = spec.worldbody.add_body(name=name)
    body.add_freejoint(name=name)
    return body
