"""Wiping, the fourth task of EB-Manipulation: grasp the sponge and wipe the named area.

As in EmbodiedBench's wipe_table_direction, there are a sponge and two flat rectangles: a horizontal one (along y,
within TILT) and a vertical one (along x). Each has its own colour and DIRT spots in a row. The task is done when the
sponge has removed at least half of the spots; it may still be held. Unlike in EmbodiedBench, the dirt is visible, both
areas are dirty, and the other area must stay dirty: wiping both fails.

The scene belongs to this benchmark alone. The tasks of the study are in `demos.tabletop.tasks`: demonstrations,
questions and the vocabulary of the tiny base come from those.
"""

import numpy as np

from robotr1.demos.poses import axis_angle, matrix
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import VISUAL
from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.tasks.base import (
    PLACE_X,
    PLACE_Y,
    Task,
    Waypoint,
    above,
    add_free_body,
    grasp_yaw,
    random_place,
)

SPONGE = np.array([0.055, 0.028, 0.025])  # half extents, metres
YELLOW, SCOURER = (0.98, 0.86, 0.10), (0.06, 0.34, 0.12)
AREA = np.array([0.12, 0.03, 0.0005])  # half extents, metres
DIRECTIONS = {"horizontal": np.pi / 2, "vertical": 0.0}  # radians about z, plus up to TILT either way
TILT = np.pi / 8
COLORS = ("white", "cyan", "lime", "red", "magenta", "azure")  # unlike the sponge, the table and the dirt
DIRT = 50  # spots of an area
SPOT, SCATTER = (0.004, 0.0004), 0.008  # metres: radius and half height; standard deviation across the area
BROWN = (0.20, 0.10, 0.03)
NEAR = 0.01  # metres above the table within which the sponge wipes: one bin of the discrete actions
CLEAN = 0.5  # share of the spots, as in EmbodiedBench
CLEARANCE = 0.10  # metres between the tip and the sponge's middle before grasp and wipe
OFF = 0.13  # metres between the sponge or an area and the line along which another area is wiped
ASIDE = 0.10  # metres between the areas' middles across the image, so that left and right are unambiguous


class WipeTable(Task):
    """Variation = the direction of the area to wipe, horizontal or vertical."""

    name, objects = "wipe_table", ("sponge", "area")
    plan = (
        "move above the sponge",
        "grasp the sponge",
        "lift the sponge",
        "move the sponge above one end of the area",
        "lower the sponge to the table",
        "wipe to the other end of the area",
    )
    variations = len(DIRECTIONS)

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        box, disc = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER
        for direction in DIRECTIONS:
            body = spec.worldbody.add_body(name=direction)
            body.add_geom(name=f"{direction}_area", type=box, pos=(0, 0, AREA[2]), size=AREA, **VISUAL)
            for spot in range(DIRT):
                # MuJoCo would keep a geom in the body's origin that is compiled there.
                body.add_geom(name=_spot(direction, spot), type=disc, pos=(0, 0, 0.001), size=(*SPOT, 0), **VISUAL)
        sponge = add_free_body(spec, "sponge")
        solid = {"mass": 0.03, "condim": 4, "friction": (1.0, 0.02, 0.001)}
        sponge.add_geom(name="sponge", type=box, size=SPONGE, rgba=(*YELLOW, 1), material="enamel", **solid)
        layer = (*(SPONGE[:2] + 0.0004), 0.006)
        sponge.add_geom(type=box, size=layer, pos=(0, 0, 0.006 - SPONGE[2]), rgba=(*SCOURER, 1), **VISUAL)

    def place(self, scene, rng: np.random.Generator) -> None:
        self.target = list(DIRECTIONS)[scene.variation]
        first = rng.choice(COLORS)
        paints = (first, rng.choice([color for color in COLORS if color in colors.unlike(first)]))
        places, sponge = _layout(rng)
        self.spots = {}
        for direction, (place, yaw), paint in zip(DIRECTIONS, places, paints):
            scene.set_body(direction, place, axis_angle([0, 0, 1], yaw))
            scene.model.geom(f"{direction}_area").rgba = colors.paint(paint)
            self.spots[direction] = _dirt(rng)
            for spot, at in enumerate(self.spots[direction]):
                scene.model.geom(_spot(direction, spot)).pos = at
        scene.set_body("sponge", sponge + [0, 0, SPONGE[2]], axis_angle([0, 0, 1], rng.uniform(-np.pi / 2, np.pi / 2)))
        self.restore(scene, {direction: np.zeros(DIRT, bool) for direction in DIRECTIONS})

    def waypoints(self, scene) -> list[Waypoint]:
        sponge, yaw = scene.body_pose("sponge")[:3], grasp_yaw(_yaw(scene, "sponge"))
        ends = _line(self._middle(scene), _yaw(scene, self.target))[[0, -1]]
        start, end = sorted(ends, key=lambda end: np.linalg.norm(end - sponge))
        poses = (
            ("pre-grasp", above(sponge, CLEARANCE, yaw), None),
            ("grasp", above(sponge, 0, yaw), 0.0),
            ("lift", above(sponge, CLEARANCE, yaw), None),
            ("pre-wipe", above(start, SPONGE[2] + CLEARANCE, yaw), None),
            ("lower", above(start, SPONGE[2], yaw), None),
            ("wipe", above(end, SPONGE[2], yaw), None),
        )
        return [Waypoint(*pose, step) for pose, step in zip(poses, self.plan, strict=True)]

    def success(self, scene) -> bool:
        return all((share >= CLEAN) == (area == self.target) for area, share in self.wiped().items())

    def wiped(self) -> dict[str, float]:
        """The share of removed spots by area."""
        return {direction: float(gone.mean()) for direction, gone in self.gone.items()}

    def positions(self, scene) -> np.ndarray:
        return np.array([scene.body_pose("sponge")[:3], self._middle(scene)])

    def update(self, scene) -> None:
        """Remove every spot below the sponge, up to NEAR below it."""
        sponge = scene.body_pose("sponge")
        for direction, gone in self.gone.items():
            area = scene.body_pose(direction)
            spots = area[:3] + self.spots[direction] @ matrix(area[3:]).T + [0, 0, NEAR]
            below = (np.abs((spots - sponge[:3]) @ matrix(sponge[3:])) <= SPONGE).all(axis=1)
            for spot in np.flatnonzero(below & ~gone):
                gone[spot] = True
                self._draw(scene, direction, spot)

    def state(self) -> dict[str, np.ndarray]:
        return {direction: gone.copy() for direction, gone in self.gone.items()}

    def restore(self, scene, state: dict[str, np.ndarray]) -> None:
        self.gone = {direction: gone.copy() for direction, gone in state.items()}
        for direction in DIRECTIONS:
            for spot in range(DIRT):
                self._draw(scene, direction, spot)

    def _draw(self, scene, direction: str, spot: int) -> None:
        scene.model.geom(_spot(direction, spot)).rgba = (*BROWN, not self.gone[direction][spot])

    def _middle(self, scene) -> np.ndarray:
        return scene.body_pose(self.target)[:3]


def _spot(direction: str, spot: int) -> str:
    return f"{direction}_spot{spot}"


def _dirt(rng: np.random.Generator) -> np.ndarray:
    """Spots [DIRT,3] in the area's frame: in a row along its middle, scattered across."""
    along = np.linspace(-1, 1, DIRT) * (AREA[0] - SPOT[0])
    across = np.clip(rng.normal(0, SCATTER, DIRT), -AREA[1] + SPOT[0], AREA[1] - SPOT[0])
    return np.stack([along, across, np.full(DIRT, 2 * AREA[2] + SPOT[1])], axis=1)


def _layout(rng: np.random.Generator) -> tuple[list[tuple[np.ndarray, float]], np.ndarray]:
    """(middle [3], angle about z) of each area, and the sponge's position [3] on the table."""
    while True:
        areas = [(random_place(rng), turn + rng.uniform(-TILT, TILT)) for turn in DIRECTIONS.values()]
        sponge = random_place(rng)
        (one, other), (here, there) = (_line(*area) for area in areas), (area[0] for area in areas)
        apart = np.linalg.norm(one[:, None] - other, axis=-1).min() > OFF and abs(here[1] - there[1]) > ASIDE
        free = np.linalg.norm(np.concatenate([one, other]) - sponge, axis=-1).min() > OFF
        ends = np.concatenate([one, other])
        within = (ends[:, :2] >= (PLACE_X[0], PLACE_Y[0])).all() and (ends[:, :2] <= (PLACE_X[1], PLACE_Y[1])).all()
        if apart and free and within:
            return areas, sponge


def _line(middle: np.ndarray, turn: float) -> np.ndarray:
    """Points [9,3] along the path of the sponge's middle."""
    return middle + np.linspace(-AREA[0], AREA[0], 9)[:, None] * [np.cos(turn), np.sin(turn), 0]


def _yaw(scene, body: str) -> float:
    rotation = matrix(scene.body_pose(body)[3:])
    return float(np.arctan2(rotation[1, 0], rotation[0, 0]))
