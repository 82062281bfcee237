"""RLBench's place_shape_in_shape_sorter: drop the named shape through its hole in the sorter's lid."""

import math

import numpy as np

from robotr1.demos.poses import axis_angle, matrix
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN, add_mesh, prism
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, add_free_body, random_place
from robotr1.linear import dot, norm

HEIGHT = 0.050  # metres, of every shape
BOX, LID, WALL = (0.088, 0.126, 0.074), 0.010, 0.006  # half depth, half width, height of the sorter; thicknesses
CLEARANCE = 0.005  # of a hole around its shape
GRASP, INSERT = 0.030, 0.018  # of the tip above the shape's foot; of the foot below the lid's top when it is let go
APPROACH, CARRY = 0.12, 0.08  # of the tip above the grasp; of the shape's foot above the lid
APART, BESIDE, HIDDEN_BEHIND = 0.11, 0.075, 0.17  # between middles; off the sorter's walls; to both sides of its middle
TURN = 0.5  # radians that the sorter may be turned to either side
TRIES = 40
BODY, TOP, DARK = (0.16, 0.42, 0.66), (0.93, 0.90, 0.82), (0.03, 0.03, 0.04)


def _ring(corners: int, radius: float) -> np.ndarray:
    """Return a regular outline [corners,2] with its first corner on +y."""
    angle = np.pi / 2 + 2 * np.pi * np.arange(corners) / corners
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _triangle() -> np.ndarray:
    """Return a triangle with blunt corners, which the fingers can press on."""
    corners = _ring(3, 0.037)
    ends = [corners + 0.14 * (np.roll(corners, turn, axis=0) - corners) for turn in (1, -1)]
    return np.stack(ends, axis=1).reshape(-1, 2)


def _star() -> np.ndarray:
    outline = _ring(10, 0.034)
    outline[1::2] *= 0.48
    return outline


def _moon() -> np.ndarray:
    """Return a disc without a second disc on +x."""
    outer, inner, away = 0.031, 0.0245, 0.0245
    horn = (outer**2 - inner**2 + away**2) / (2 * away)
    start, end = math.acos(horn / outer), math.acos((away - horn) / inner)
    out, back = np.linspace(start, 2 * np.pi - start, 20), np.linspace(np.pi + end, np.pi - end, 12)[1:-1]
    arcs = [(outer * np.cos(out), outer * np.sin(out)), (away + inner * np.cos(back), inner * np.sin(back))]
    return np.concatenate([np.stack(arc, axis=1) for arc in arcs])


def _centered(outline: np.ndarray) -> np.ndarray:
    """Move an outline along y so that fingers closing along y meet at its origin."""
    return outline - [0, (outline[:, 1].max() + outline[:, 1].min()) / 2]


# In RLBench's order of variations: outline, smallest symmetry rotation, colour, the hole's position on the lid (x, y).
SHAPES = {
    "cube": (_ring(8, 0.025)[1::2] * np.sqrt(2), np.pi / 2, (0.85, 0.10, 0.08), (-0.042, 0.0)),
    "cylinder": (_ring(32, 0.027), np.pi / 16, (0.10, 0.20, 0.80), (-0.042, -0.082)),
    "triangular prism": (_centered(_triangle()), 2 * np.pi / 3, (0.10, 0.58, 0.20), (-0.042, 0.082)),
    "star": (_centered(_star()), 2 * np.pi / 5, (0.95, 0.78, 0.10), (0.042, -0.058)),
    "moon": (_moon(), 2 * np.pi, (0.55, 0.15, 0.62), (0.042, 0.058)),
}
NAMES = tuple(SHAPES)


class PlaceShapeInShapeSorter(Task):
    """Variation = the shape, all five of RLBench's; the other four distract.

    A hole looks like its shape; in the physics it is the rectangle around it.
    """

    name, objects = "place_shape_in_shape_sorter", ("shape", "hole")
    plan = (
        "move above the shape",
        "grasp the shape",
        "lift the shape",
        "move the shape above its hole",
        "lower the shape into its hole and let it go",
    )
    variations = len(NAMES)
    can_hold = True

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        _add_sorter(spec)
        for shape in NAMES:
            _add_shape(spec, shape)

    def place(self, scene, rng: np.random.Generator) -> None:
        yaw = rng.uniform(-TURN, TURN)
        sorter, places = _layout(rng, yaw)
        scene.set_body("sorter", sorter, axis_angle([0, 0, 1], yaw))
        for shape, place in zip(NAMES, places):
            turn = min(SHAPES[shape][1], np.pi) / 2
            scene.set_body(shape, place, axis_angle([0, 0, 1], rng.uniform(-turn, turn)))

    def instructions(self, variation: int = 0) -> list[str]:
        shape = NAMES[variation]
        return [
            f"drop the {shape} through its hole in the shape sorter",
            f"find the hole for the {shape} and put it in",
            f"sort the {shape} into the box",
            f"pick up the {shape} and let it fall into the shape sorter",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        shape, hole = self.positions(scene)
        shape = shape - [0, 0, HEIGHT / 2]
        yaw, put = scene.body_yaw(NAMES[scene.variation]), scene.body_yaw("sorter")
        carry = np.array([*shape[:2], hole[2]])
        poses = (
            above(shape, GRASP + APPROACH, yaw),
            above(shape, GRASP, yaw),
            above(carry, GRASP + CARRY, yaw),
            above(hole, GRASP + CARRY, put),
            above(hole, GRASP - INSERT, put),
        )
        names = ("pre-grasp", "grasp", "lift", "above", "release")
        return [Waypoint(*step) for step in zip(names, poses, (None, 0.0, None, None, 1.0), self.plan)]

    def success(self, scene) -> bool:
        shape, hole = self.positions(scene)
        away = shape - hole
        inside = norm(away[:2]) < 0.03 and -BOX[2] < away[2] < -LID - HEIGHT / 4
        return bool(inside and scene.objects_rest() and scene.gripper_open_amount() > 0.9)

    def positions(self, scene) -> np.ndarray:
        shape, sorter = scene.body_pose(NAMES[scene.variation]), scene.body_pose("sorter")
        hole = [*SHAPES[NAMES[scene.variation]][3], BOX[2]]
        middles = ((shape, [0, 0, HEIGHT / 2]), (sorter, hole))
        return np.array([body[:3] + dot(matrix(body[3:]), point) for body, point in middles])

    def hold(self, scene) -> None:
        shape = NAMES[scene.variation]
        scene.put_in_gripper(shape, SHAPES[shape][0][:, 1].max(), [0, 0, GRASP])


def _layout(rng: np.random.Generator, yaw: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Sample positions [3] of sorter and shapes: the hand fits between them, and the sorter hides none."""
    across = matrix(axis_angle([0, 0, 1], yaw))[:2, :2]  # the sorter's axes
    while True:
        sorter, places = random_place(rng, 0.11), []
        for _ in range(TRIES):
            place = random_place(rng)
            away = (place - sorter)[:2]
            hidden = away[0] < 0 and abs(away[1]) < HIDDEN_BEHIND
            beside = (np.abs(dot(across.T, away)) - BOX[:2]).max() > BESIDE
            apart = all(norm(place - taken) > APART for taken in places)
            if beside and apart and not hidden:
                places.append(place)
            if len(places) == len(NAMES):
                return sorter, places


def _add_shape(spec: mujoco.MjSpec, shape: str) -> None:
    """Add a shape; the origin is on its foot, midway between the fingers' contacts; its convex hull collides."""
    body, (outline, _, color, _) = add_free_body(spec, shape), SHAPES[shape]
    add_mesh(spec, body, shape, prism(outline, HEIGHT), color, material="enamel")
    solid = {"mass": 0.05, "condim": 4, "friction": (1.0, 0.02, 0.001), "group": HIDDEN}
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=shape, **solid)


def _add_sorter(spec: mujoco.MjSpec) -> None:
    """Add a fixed box; the body's origin is the middle of its foot."""
    body = spec.worldbody.add_body(name="sorter")
    box, (x, y, z) = mujoco.mjtGeom.mjGEOM_BOX, BOX
    seen = {"type": box, "contype": 0, "conaffinity": 0, "material": "enamel"}
    body.add_geom(pos=(0, 0, (z - LID) / 2), size=(x, y, (z - LID) / 2), rgba=(*BODY, 1), **seen)
    body.add_geom(pos=(0, 0, z - LID / 2), size=(x + 0.003, y + 0.003, LID / 2), rgba=(*TOP, 1), **seen)
    solid = {"type": box, "group": HIDDEN}
    body.add_geom(pos=(0, 0, WALL / 2), size=(x, y, WALL / 2), **solid)
    for side in (-1, 1):
        body.add_geom(pos=(side * (x - WALL / 2), 0, z / 2), size=(WALL / 2, y, z / 2), **solid)
        body.add_geom(pos=(0, side * (y - WALL / 2), z / 2), size=(x, WALL / 2, z / 2), **solid)
    for shape, (outline, _, _, hole) in SHAPES.items():
        # The visible hole: a dark patch, a little larger than the shape.
        patch = prism(outline * (1 + CLEARANCE / np.abs(outline).max()), 0.0006)
        add_mesh(spec, body, f"{shape}_hole", patch, DARK, pos=(*hole, z))
        _add_frame(body, np.array(hole), outline, solid)


def _add_frame(body, hole: np.ndarray, outline: np.ndarray, solid: dict) -> None:
    """Add the lid around one hole: four boxes that leave the shape's extent free."""
    low, high = hole + outline.min(axis=0) - CLEARANCE, hole + outline.max(axis=0) + CLEARANCE
    (left, right), (back, front) = _cell(hole)
    boxes = (
        ((back, left), (front, low[1])),
        ((back, high[1]), (front, right)),
        ((back, low[1]), (low[0], high[1])),
        ((high[0], low[1]), (front, high[1])),
    )
    for first, last in boxes:
        middle, half = (np.array(first) + last) / 2, (np.array(last) - first) / 2
        body.add_geom(pos=(*middle, BOX[2] - LID / 2), size=(*half, LID / 2), **solid)


def _cell(hole: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the part of the lid nearest to this hole within its row, (from, to) along y and along x."""
    row = sorted(place[1] for *_, place in SHAPES.values() if place[0] == hole[0])
    edges = [-BOX[1], *np.mean([row[1:], row[:-1]], axis=0), BOX[1]]
    n = row.index(hole[1])
    return (edges[n], edges[n + 1]), ((-BOX[0], 0.0) if hole[0] < 0 else (0.0, BOX[0]))


TASK = PlaceShapeInShapeSorter
