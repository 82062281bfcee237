"""RLBench's stack_blocks: build a tower from the blocks of the named colour on the green platform.

Six blocks lie on the table: as many of the colour as the tower needs, the others of one other colour (RLBench has four
of each, more than the tower needs). The block nearest to the platform comes first.
"""

import numpy as np

from robotr1.demos.poses import axis_angle, matrix
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import VISUAL
from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, add_free_body, random_place
from robotr1.linear import norm

HALF, BORDER = 0.028, 0.003  # metres, of a block's edge; of the dark border of its faces
BLOCKS = 6
PLATFORM = (0.058, 0.058, 0.003)  # half extents
GREEN = (0.08, 0.52, 0.20)
HEIGHTS = ("two", "three", "four")
ORDINALS = ("first", "second", "third", "fourth")
APPROACH, CLEARANCE = 0.12, 0.10  # of the tip above the block to grasp and above the place to put it
APART, OFF_PLATFORM = 0.105, 0.17  # between middles: fingers and hand fit between them
NEARER = 0.03  # metres that one block of the tower is nearer to the platform than the next
TRIES = 60
STEPS_PER_BLOCK = 6


def steps(count: int) -> tuple[str, ...]:
    """Return the plan of a tower of `count` blocks: six steps per block; the last one leads to the next block."""
    plan = []
    for ordinal in ORDINALS[:count]:
        plan += [
            f"move above the {ordinal} block",
            f"grasp the {ordinal} block",
            f"lift the {ordinal} block",
            f"move the {ordinal} block above the platform",
            f"put the {ordinal} block on the platform and let go",
            "move up from the block",
        ]
    return tuple(plan[:-1])


class StackBlocks(Task):
    """Variation = 3 x colour + tower height - 2, as in RLBench; variation 0 is a tower of two red blocks.

    `block` is the block that the tower needs next, also while it is carried, until it is released on the tower.
    `platform` is the middle of the surface below its place: the platform, later the top of the tower so far. When the
    tower is complete, both stay at its topmost block. `plan` belongs to the current variation. The waypoints cover the
    whole tower and follow from the blocks' positions at the start.
    """

    name, objects = "stack_blocks", ("block", "platform")
    plan = steps(2)
    variations = len(colors.NAMES) * len(HEIGHTS)
    can_hold = True

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        box = mujoco.mjtGeom.mjGEOM_BOX
        platform = spec.worldbody.add_body(name="platform")
        platform.add_geom(type=box, pos=(0, 0, PLATFORM[2]), size=PLATFORM, rgba=(*GREEN, 1), material="enamel")
        for block in range(BLOCKS):
            _add_block(spec, f"block{block}")

    def place(self, scene, rng: np.random.Generator) -> None:
        color, self.count = colors.NAMES[scene.variation // len(HEIGHTS)], 2 + scene.variation % len(HEIGHTS)
        self.plan = steps(self.count)
        others = [name for name in colors.unlike(color) if name not in ("lime", "green")]  # not the platform's color
        other = rng.choice(others)
        platform, places = _layout(rng, self.count)
        scene.set_body("platform", platform, axis_angle([0, 0, 1], rng.uniform(-np.pi / 4, np.pi / 4)))
        for block, place in enumerate(places):
            yaw = rng.uniform(-np.pi / 4, np.pi / 4)
            scene.set_body(f"block{block}", place + [0, 0, HALF], axis_angle([0, 0, 1], yaw))
            _paint_block(scene, f"block{block}", color if block < self.count else other)

    def instructions(self, variation: int = 0) -> list[str]:
        color, height = colors.NAMES[variation // len(HEIGHTS)], HEIGHTS[variation % len(HEIGHTS)]
        return [
            f"build a tower of {height} {color} blocks on the green platform",
            f"put {height} {color} blocks on the platform, one on the other",
            f"pile up the {height} {color} blocks on the green platform",
            f"make a stack from the {height} {color} blocks on the platform",
        ]

    def script(self, variation: int = 0) -> tuple[str, ...]:
        return steps(2 + variation % len(HEIGHTS))

    def waypoints(self, scene) -> list[Waypoint]:
        waypoints, plan = [], iter(self.plan)
        put = _yaw(scene, "platform")
        for level in range(self.count):
            block, yaw = scene.body_pose(f"block{level}")[:3], _yaw(scene, f"block{level}")
            place = self._place(scene, level)
            lifted = np.array([*block[:2], place[2]])
            for name, pose, gripper in (
                ("pre-grasp", above(block, APPROACH, yaw), None),
                ("grasp", above(block, 0, yaw), 0.0),
                ("lift", above(lifted, CLEARANCE, yaw), None),
                ("pre-place", above(place, CLEARANCE, put), None),
                ("place", above(place, 0, put), 1.0),
                ("rise", above(place, CLEARANCE, put), None),
            ):
                waypoints.append(Waypoint(name, pose, gripper, next(plan, "")))
        return waypoints[:-1]

    def success(self, scene) -> bool:
        return len(self._tower(scene)) == self.count and scene.objects_rest()

    def positions(self, scene) -> np.ndarray:
        block, level = self._next(scene)
        return np.array([scene.data.body(f"block{block}").xpos, self._place(scene, level) - [0, 0, HALF]])

    def hold(self, scene) -> None:
        block, _ = self._next(scene)
        scene.put_in_gripper(f"block{block}", HALF)

    def advance(self, scene, done: int) -> None:
        put = axis_angle([0, 0, 1], _yaw(scene, "platform"))
        for level in range((done + 1) // STEPS_PER_BLOCK):
            scene.set_body(f"block{level}", self._place(scene, level), put)

    def _place(self, scene, level: int) -> np.ndarray:
        """Return the middle [3] of a block in the tower with `level` blocks below it."""
        return scene.body_pose("platform")[:3] + [0, 0, 2 * PLATFORM[2] + (2 * level + 1) * HALF]

    def _tower(self, scene) -> list[int]:
        """List the released blocks of the right colour in the tower, from below."""
        tower = []
        while True:
            left = [block for block in range(self.count) if block not in tower]
            found = [block for block in left if self._stands(scene, block, len(tower))]
            if not found:
                return tower
            tower += found[:1]

    def _stands(self, scene, block: int, level: int) -> bool:
        pose = scene.body_pose(f"block{block}")
        away = pose[:3] - self._place(scene, level)
        on_a_face = np.abs(matrix(pose[3:])[2]).max() > 0.99
        held = norm(scene.tip_pose()[:3] - pose[:3]) < HALF and scene.gripper_open_amount() < 0.9
        return bool(on_a_face and norm(away[:2]) < 0.6 * HALF and abs(away[2]) < 0.004 and not held)

    def _next(self, scene) -> tuple[int, int]:
        """Return the block that the tower needs next and the number of blocks below its place."""
        tower = self._tower(scene)
        left = [block for block in range(self.count) if block not in tower]
        return (left[0], len(tower)) if left else (tower[-1], self.count - 1)


def _add_block(spec: mujoco.MjSpec, name: str) -> None:
    """Add a cube with dark borders, so that stacked blocks can be counted; the body's origin is its middle."""
    body = add_free_body(spec, name)
    cube = {"type": mujoco.mjtGeom.mjGEOM_BOX, "material": "enamel"}
    solid = {"mass": 0.06, "condim": 4, "friction": (1.0, 0.02, 0.001)}
    body.add_geom(name=name, size=(HALF, HALF, HALF), **cube, **solid)
    for axis in range(3):
        size = np.full(3, HALF - BORDER)
        size[axis] = HALF + 0.0004
        body.add_geom(name=f"{name}_face{axis}", size=size, **cube, **VISUAL)


def _paint_block(scene, name: str, color: str) -> None:
    paint = colors.paint(color)
    scene.model.geom(name).rgba = [*(0.45 * paint[:3]), 1]
    for axis in range(3):
        scene.model.geom(f"{name}_face{axis}").rgba = paint


def _layout(rng: np.random.Generator, count: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Sample positions [3] of platform and blocks: the tower's blocks first, nearer ones before farther ones."""
    while True:
        platform, places = random_place(rng, PLATFORM[0] / 2), []
        for _ in range(TRIES):
            place = random_place(rng)
            apart = all(norm(place - taken) > APART for taken in places)
            if apart and norm(place - platform) > OFF_PLATFORM:
                places.append(place)
            if len(places) == BLOCKS:
                tower = sorted(places[:count], key=lambda place: norm(place - platform))
                ways = [norm(place - platform) for place in tower]
                if np.diff(ways).min() > NEARER:
                    return platform, tower + places[count:]
                break


def _yaw(scene, body: str) -> float:
    """Return the yaw of a square body's sides, within an eighth of a turn."""
    return (scene.body_yaw(body) + np.pi / 4) % (np.pi / 2) - np.pi / 4


TASK = StackBlocks
