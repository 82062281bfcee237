"""The scenes of the EB-Manipulation protocol on the tabletop: placements of four tasks that discrete actions can solve.

The tasks are pick (pick_up_cup), stack (stack_blocks, towers of two), shape sorter (place_shape_in_shape_sorter) and
wiping (wipe_table, which only this benchmark has). A placement is used if the expert's own waypoints, as discrete
actions, complete the task. `refused` counts the placements tried before, so that the price of 1 cm bins is known. The
sorter's holes leave 5 mm, less than the bins' error in grasp and placement together, so most placements are refused.
Star and moon are left out: all of their 16 tried placements were refused.
"""

import copy
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache

import numpy as np

from robotr1.demos.images import project
from robotr1.demos.tabletop.episodes import CollectionError
from robotr1.demos.tabletop.scene import TabletopScene
from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.tasks.place_shape_in_shape_sorter import NAMES
from robotr1.demos.tabletop.tasks.stack_blocks import HEIGHTS
from robotr1.evaluation.closed_loop.environment import Goal, Outcome
from robotr1.evaluation.closed_loop.tabletop import TabletopEnvironment
from robotr1.evaluation.eb_manipulation.actions import Action, decode, encode
from robotr1.evaluation.eb_manipulation.wiping import DIRECTIONS, WipeTable
from robotr1.evaluation.eb_manipulation.wordings import COLOR_OF, LOOKS_LIKE, WORDINGS, instruction, objects_of

TASKS = tuple(WORDINGS)
MAX_ATTEMPTS = 40  # placements of a scene


class EmbodiedScene(TabletopEnvironment):
    """A placement of an episode, at its start; `plan` is the expert's, in discrete actions.

    `refused` counts the placements before it that discrete actions cannot solve.
    """

    def __init__(self, task: str, episode: int, seed: int, image_size: int, refused: int):
        self.task, self.episode, self.refused = task, episode, refused
        self._scene = copy.deepcopy(_compiled(task, image_size))
        key = [seed, zlib.crc32(f"embodied/{task}".encode()), episode]
        self._scene.reset(np.random.default_rng([*key, refused]), _variation(task, np.random.default_rng(key)))
        self._gripper, self._pose, self._q = 1.0, self._scene.tip_pose(), self._scene.arm_q()
        self.goals, gripper = [], 1.0
        for waypoint in self._scene.task.waypoints(self._scene):
            gripper = gripper if waypoint.gripper is None else float(waypoint.gripper > 0.5)
            self.goals.append(Goal(waypoint.pose, gripper))
        self.plan = [encode(goal.pose, goal.gripper) for goal in self.goals]

    def act(self, action: Action) -> Outcome:
        """Execute one discrete action by a straight line, as in the closed loop."""
        return self.execute(*decode(action))

    def objects(self) -> list[tuple[str, np.ndarray]]:
        """(name, centre [3] in metres) from left to right; of the sorter, its holes."""
        return objects_of(self._scene)

    def pixels(self) -> np.ndarray:
        """[N,2]: where the front image shows `objects` now."""
        camera = self._scene.camera_misc()
        matrices = (camera[f"front_camera_{name}"] for name in ("intrinsics", "extrinsics"))
        return project(np.array([centre for _, centre in self.objects()]), *matrices)

    def plan_in_words(self) -> tuple[str, ...]:
        """The expert's plan in words, one for each of its actions."""
        return self._scene.task.plan

    def instruction(self, subset: str) -> str:
        """The instruction in the wording of a subset; call it at the start, as it refers to current positions."""
        return instruction(self._scene, subset)


def embodied_scenes(task: str, episodes: int, seed: int, image_size: int = 224) -> Iterator[EmbodiedScene]:
    """`episodes` scenes of a task that discrete actions can solve; the same arguments give the same ones.

    Raises CollectionError where MAX_ATTEMPTS placements in a row cannot be solved.
    """
    for episode in range(episodes):
        yield EmbodiedScene(task, episode, seed, image_size, _refused(task, episode, seed, image_size))


def _variation(task: str, rng: np.random.Generator) -> int:
    if task == "wipe_table":
        return int(rng.integers(len(DIRECTIONS)))
    if task == "place_shape_in_shape_sorter":
        return NAMES.index(rng.choice(list(LOOKS_LIKE)))
    known = [color for color in COLOR_OF if task != "stack_blocks" or color != "green"]  # the platform's color
    return colors.NAMES.index(rng.choice(known)) * (len(HEIGHTS) if task == "stack_blocks" else 1)


@cache
def _refused(task: str, episode: int, seed: int, image_size: int) -> int:
    """How many placements come before the first one whose task the expert's discrete actions complete."""
    for refused in range(MAX_ATTEMPTS):
        scene = EmbodiedScene(task, episode, seed, image_size, refused)
        if any(scene.act(action) and scene.success() for action in scene.plan):
            return refused
    raise CollectionError(f"{task}, scene {episode}: discrete actions cannot solve {MAX_ATTEMPTS} placements")


@lru_cache(maxsize=1)
def _compiled(task: str, image_size: int) -> TabletopScene:
    return TabletopScene(WipeTable() if task == WipeTable.name else task, np.random.default_rng(0), image_size)
