"""The scenes of the EB-Manipulation protocol on the tabletop: four tasks, each told in five ways (the subsets).

pick (pick_up_cup), stack (stack_blocks, towers of two), shape sorter (place_shape_in_shape_sorter) and wiping
(wipe_table, in `embodied_wiping`: the one task that only this benchmark has).

A subset is a wording, and all five speak of the same placements: a difference between subsets is one of words alone.
(EmbodiedBench has episodes of their own for each, and no wiping in "visual".) A placement is used if the expert's own
waypoints, as discrete actions, do the task there; `refused` counts the placements tried before, so that the price of
1 cm bins is known. The sorter's holes leave 5 mm, less than a bin's error in grasp and place together: most placements
are refused, and star and moon, whose placements all were (16 of 16 tried), are never asked for.
"""

import copy
import zlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from robotr1.demos.images import project
from robotr1.demos.poses import matrix
from robotr1.demos.tabletop.episodes import CollectionError
from robotr1.demos.tabletop.scene import TabletopScene
from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.tasks.place_shape_in_shape_sorter import BOX, HEIGHT, NAMES, SHAPES
from robotr1.demos.tabletop.tasks.stack_blocks import BLOCKS, HEIGHTS
from robotr1.evaluation.closed_loop.tabletop_world import TabletopWorld
from robotr1.evaluation.closed_loop.worlds import Goal, Outcome
from robotr1.evaluation.eb_manipulation.actions import Action, decode, encode
from robotr1.evaluation.eb_manipulation.wiping import DIRECTIONS, WipeTable

MAX_ATTEMPTS = 40  # placements of a scene
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
COLOR_OF = {  # what everyone knows the colour of
    "red": "a ripe tomato",
    "green": "a fir tree",
    "yellow": "a lemon",
    "orange": "a carrot",
    "black": "coal",
    "white": "fresh snow",
}
LOOKS_LIKE = {"cube": "a die", "cylinder": "a tin can", "triangular prism": "a tent"}  # star and moon: see above
SHAPE_COLORS = {"cube": "red", "cylinder": "blue", "triangular prism": "green"}
RUNS_LIKE = {"horizontal": "the boards of a bookshelf", "vertical": "a flagpole"}
WORDINGS = {
    "pick_up_cup": {
        "base": "pick up the {color} cup",
        "common_sense": "pick up the cup that has the color of {known}",
        "complex": "guests are coming and the table is not laid yet; I see to the plates, and you begin with the "
        "{color} cup: pick it up so that I can wipe below it, and leave the other one where it is",
        "spatial": "pick up the {first} cup, counted from the left",
        "visual": "pick up the cup that is not {other}",
    },
    "stack_blocks": {
        "base": "build a tower of two {color} blocks on the platform",
        "common_sense": "build a tower on the platform from the two blocks that have the color of {known}",
        "complex": "the children have left all their blocks on the table, and most may stay there for now; only the "
        "two {color} ones should be tidied away, onto the platform, and as it is small, one on the other",
        "spatial": "build a tower on the platform from the {first} and the {second} block, counted from the left",
        "visual": "build a tower on the platform from the two blocks whose color fewer of the blocks have",
    },
    "place_shape_in_shape_sorter": {
        "base": "put the {shape} into its hole in the shape sorter",
        "common_sense": "put the shape that looks like {known} into its hole in the shape sorter",
        "complex": "my daughter sorts her toys before she goes to bed, and today she needs a little help; the {shape} "
        "is the one that she cannot manage, so put it into its hole in the shape sorter and let the others lie",
        "spatial": "put the {first} shape, counted from the left, into its hole in the shape sorter",
        "visual": "put the {color} shape into its hole in the shape sorter",
    },
    "wipe_table": {
        "base": "wipe the {direction} area",
        "common_sense": "wipe the area that runs like {known}",
        "complex": "breakfast is over and there are crumbs in two places; one of them I have just sprayed, and it has "
        "to soak for a while, but you can take the sponge and wipe the {direction} area meanwhile",
        "spatial": "wipe the {first} area, counted from the left",
        "visual": "wipe the {color} area",
    },
}
TASKS = tuple(WORDINGS)


class EmbodiedScene(TabletopWorld):
    """A placement whose task discrete actions can do, at its beginning; `plan` are those of the expert.

    Raises CollectionError where MAX_ATTEMPTS placements in a row cannot be done.
    """

    def __init__(self, task: str, episode: int, seed: int, image_size: int = 224):
        self.task, self.episode = task, episode
        self._scene = copy.deepcopy(_compiled(task, image_size))
        key = [seed, zlib.crc32(f"embodied/{task}".encode()), episode]
        variation = _variation(task, np.random.default_rng(key))
        for self.refused in range(MAX_ATTEMPTS):
            self._begin([*key, self.refused], variation)
            self.plan = [encode(goal.pose, goal.gripper) for goal in self.goals]
            if any(self.act(action) and self.success() for action in self.plan):
                break
        else:
            raise CollectionError(f"{task}, scene {episode}: discrete actions cannot do {MAX_ATTEMPTS} placements")
        self._begin([*key, self.refused], variation)

    def _begin(self, key: list[int], variation: int) -> None:
        self._scene.reset(np.random.default_rng(key), variation)
        self._gripper, self._pose, self._q = 1.0, self._scene.tip_pose(), self._scene.arm_q()
        self.goals, gripper = [], 1.0
        for waypoint in self._scene.task.waypoints(self._scene):
            gripper = gripper if waypoint.gripper is None else float(waypoint.gripper > 0.5)
            self.goals.append(Goal(waypoint.pose, gripper))

    def act(self, action: Action) -> Outcome:
        """Do one discrete action, by the closed loop's way of moving."""
        return self.execute(*decode(action))

    def objects(self) -> list[tuple[str, np.ndarray]]:
        """(what it is, the middle [3] in metres) from left to right; of the sorter, its holes."""
        return sorted(_things(self._scene), key=lambda thing: thing[1][1])

    def pixels(self) -> np.ndarray:
        """[N,2]: where the front image shows `objects` now."""
        camera = self._scene.camera_misc()
        matrices = (camera[f"front_camera_{name}"] for name in ("intrinsics", "extrinsics"))
        return project(np.array([middle for _, middle in self.objects()]), *matrices)

    def steps(self) -> tuple[str, ...]:
        """The expert's plan in words, one for each of its actions."""
        return self._scene.task.plan

    def tell(self, subset: str) -> str:
        """The instruction in the wording of a subset; positions are those at the beginning, so ask there."""
        return WORDINGS[self.task][subset].format(**_facts(self._scene, self.objects()))


def embodied_scenes(task: str, episodes: int, seed: int, image_size: int = 224) -> Iterator[EmbodiedScene]:
    """`episodes` scenes of a task at their beginning; the same arguments give the same ones."""
    for episode in range(episodes):
        yield copy.deepcopy(_prepared(task, episode, seed, image_size))


def _variation(task: str, rng: np.random.Generator) -> int:
    if task == "wipe_table":
        return int(rng.integers(len(DIRECTIONS)))
    if task == "place_shape_in_shape_sorter":
        return NAMES.index(rng.choice(list(LOOKS_LIKE)))
    known = [color for color in COLOR_OF if task != "stack_blocks" or color != "green"]  # as the platform is
    return colors.NAMES.index(rng.choice(known)) * (len(HEIGHTS) if task == "stack_blocks" else 1)


def _things(scene: TabletopScene) -> list[tuple[str, np.ndarray]]:
    """What a task has on the table; the names are for examples and instructions, never for the scene of a prompt."""

    def middle(body: str, offset=(0, 0, 0)) -> np.ndarray:
        pose = scene.body_pose(body)
        return pose[:3] + matrix(pose[3:]) @ np.array(offset, float)

    if scene.task.name == "pick_up_cup":
        return [(f"{_color(scene, f'{cup}_bowl')} cup", middle(cup)) for cup in ("cup", "other_cup")]
    if scene.task.name == "stack_blocks":
        blocks = [f"block{number}" for number in range(BLOCKS)]
        named = [(f"{_color(scene, f'{block}_face0')} block", middle(block)) for block in blocks]
        return [*named, ("green platform", middle("platform", (0, 0, 0.006)))]
    if scene.task.name == "wipe_table":
        areas = [(f"{_color(scene, f'{way}_area')} {way} area", middle(way)) for way in DIRECTIONS]
        return [*areas, ("yellow sponge", middle("sponge"))]
    shapes = [(shape, middle(shape, (0, 0, HEIGHT / 2))) for shape in SHAPES]
    return shapes + [(f"hole for the {shape}", middle("sorter", (*SHAPES[shape][3], BOX[2]))) for shape in SHAPES]


def _facts(scene: TabletopScene, objects: list[tuple[str, np.ndarray]]) -> dict[str, str]:
    """What the wordings speak of; `objects` stand from left to right."""
    names = [name for name, _ in objects]
    if scene.task.name == "place_shape_in_shape_sorter":
        shape = NAMES[scene.variation]
        place = [name for name in names if name in SHAPES].index(shape)
        told = {"shape": shape, "known": LOOKS_LIKE[shape], "color": SHAPE_COLORS[shape]}
        return told | {"first": ORDINALS[place]}
    if scene.task.name == "wipe_table":
        areas = [name.split() for name in names if name.endswith("area")]
        told = {"direction": scene.task.target, "known": RUNS_LIKE[scene.task.target]}
        place = [direction for _, direction, _ in areas].index(scene.task.target)
        return told | {"color": areas[place][0], "first": ORDINALS[place]}
    color = colors.NAMES[scene.variation // (len(HEIGHTS) if scene.task.name == "stack_blocks" else 1)]
    alike = [name for name in names if not name.endswith("platform")]
    places = [ORDINALS[place] for place, name in enumerate(alike) if name.startswith(f"{color} ")]
    other = next(name.rsplit(" ", 1)[0] for name in alike if not name.startswith(f"{color} "))
    told = {"color": color, "known": COLOR_OF[color], "other": other}
    return told | dict(zip(("first", "second"), places))


def _color(scene: TabletopScene, geom: str) -> str:
    rgba = scene.model.geom(geom).rgba
    return min(colors.NAMES, key=lambda name: np.abs(colors.paint(name) - rgba).max())


@lru_cache(maxsize=64)
def _prepared(task: str, episode: int, seed: int, image_size: int) -> EmbodiedScene:
    """To be copied and not played."""
    return EmbodiedScene(task, episode, seed, image_size)


@lru_cache(maxsize=1)
def _compiled(task: str, image_size: int) -> TabletopScene:
    return TabletopScene(WipeTable() if task == WipeTable.name else task, np.random.default_rng(0), image_size)
