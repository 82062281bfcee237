"""The tabletop environment: placements that the scripted expert solves, with the expert's own way of moving."""

import copy
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache

import numpy as np

from robotr1.demos.tabletop.episodes import MAX_ATTEMPTS, VARIATION, CollectionError
from robotr1.demos.tabletop.expert import (
    FINGER_FRAMES,
    FINGERS_REST,
    OPEN,
    REST,
    SETTLING_FRAMES,
    AttemptFailed,
    demonstrate,
)
from robotr1.demos.tabletop.motion import straight_line
from robotr1.demos.tabletop.scene import FINGER_OPEN, FRAME_SECONDS, TabletopScene
from robotr1.evaluation.closed_loop.environment import ARRIVED, Goal, Outcome


def tabletop_environments(
    task: str, episodes: int, seed: int, image_size: int = 224
) -> Iterator["TabletopEnvironment"]:
    """`episodes` placements that the scripted expert solves, none of them a placement of the demonstrations.

    The same arguments give the same environments, each at its start. Raises KeyError for an unknown task, and
    CollectionError where the expert fails MAX_ATTEMPTS placements in a row.
    """
    for episode in range(episodes):
        yield TabletopEnvironment(task, episode, seed, image_size)


class TabletopEnvironment:
    """A placement on the tabletop. Straight lines, inverse kinematics and physics are the expert's."""

    def __init__(self, task: str, episode: int, seed: int, image_size: int = 224):
        self.task, self.episode = task, episode
        attempt, self.demo = _solved_placement(task, episode, seed, image_size)
        self._scene = copy.deepcopy(_pristine_scene(task, image_size))
        self._scene.reset(_placement(seed, task, episode, attempt))
        wordings = self._scene.task.instructions(VARIATION)
        self.instruction = wordings[episode % len(wordings)]
        self.goals, self._gripper = [], 1.0
        for waypoint in self._scene.task.waypoints(self._scene):
            unchanged = self.goals[-1].gripper if self.goals else 1.0
            gripper = unchanged if waypoint.gripper is None else float(waypoint.gripper > 0.5)
            self.goals.append(Goal(waypoint.pose, gripper))
        self._pose, self._q = self._scene.tip_pose(), self._scene.arm_q()  # last commanded

    def image(self) -> np.ndarray:
        image = self._scene.render("front")
        self._scene.close()  # frees the GL context; many environments exist at once
        return image

    def gripper(self) -> tuple[np.ndarray, float]:
        return self._scene.tip_pose(), float(self._scene.gripper_open_amount() > OPEN)

    def execute(self, pose: np.ndarray, gripper: float) -> Outcome:
        path = self._path(pose)
        if path is None:
            return "unreachable"
        fingers = self._finger_target()
        for q in path:
            self._scene.step_frame(q, fingers)
        for _ in range(SETTLING_FRAMES):
            if np.abs(self._scene.arm_velocity()).max() < REST:
                break
            self._scene.step_frame(path[-1], fingers)
        arrived = np.linalg.norm(self._scene.tip_pose()[:3] - pose[:3]) <= ARRIVED
        self._pose, self._q = (pose, path[-1]) if arrived else (self._scene.tip_pose(), self._scene.arm_q())
        if gripper != self._gripper:
            self._gripper = gripper
            self._move_fingers()
        return "moved" if arrived else "blocked"

    def success(self) -> bool:
        return self._scene.task.success(self._scene)

    def _path(self, pose: np.ndarray) -> list[np.ndarray] | None:
        """Joint angles [7] frame by frame along the straight line, or None where the arm cannot follow it."""
        path = [self._q]
        for target in straight_line(self._pose, np.asarray(pose, float), FRAME_SECONDS):
            if (q := self._scene.solve_ik(target, path[-1])) is None:
                return None
            path.append(q)
        return path[1:]

    def _move_fingers(self) -> None:
        """Open or close until the fingers, and the objects that they released, rest."""
        for _ in range(FINGER_FRAMES):
            before = self._scene.finger_positions()
            self._scene.step_frame(self._q, self._finger_target())
            still = np.abs(self._scene.finger_positions() - before).max() < FINGERS_REST
            if still and (self._gripper < 0.5 or self._scene.objects_rest()):
                break

    def _finger_target(self) -> float:
        return self._gripper * FINGER_OPEN


def _placement(seed: int, task: str, episode: int, attempt: int) -> np.random.Generator:
    """The generator of one placement; the name in its key separates it from those of the demonstrations."""
    return np.random.default_rng([seed, zlib.crc32(f"closed loop/{task}".encode()), episode, attempt])


@cache  # some kilobytes each, where an environment takes 20 MB
def _solved_placement(task: str, episode: int, seed: int, image_size: int) -> tuple[int, tuple[np.ndarray, np.ndarray]]:
    """(attempt, demo) of the first placement that the expert solves. All agents get the same placements."""
    scene = copy.deepcopy(_pristine_scene(task, image_size))
    for attempt in range(MAX_ATTEMPTS):
        scene.reset(_placement(seed, task, episode, attempt))
        try:
            recording = demonstrate(scene)
        except AttemptFailed:
            continue
        return attempt, (np.array(recording.gripper_pose), np.array(recording.gripper_open))
    raise CollectionError(f"{task}, episode {episode}: the expert failed {MAX_ATTEMPTS} placements in a row")


@lru_cache(maxsize=1)
def _pristine_scene(task: str, image_size: int) -> TabletopScene:
    """A scene that is compiled once, copied for every environment and never rendered: GL contexts cannot be copied."""
    return TabletopScene(task, np.random.default_rng(0), image_size, VARIATION)
