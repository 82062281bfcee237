"""RLBench's put_rubbish_in_bin: drop the crumpled paper into the bin; two tomatoes distract."""

import math

import numpy as np

from robotr1.demos.poses import axis_angle, multiply
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN, add_mesh, lathe
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, add_free_body, random_place
from robotr1.demos.tabletop.world import TABLE_HEIGHT
from robotr1.linear import matmul, norm

RADIUS = 0.032  # metres; of the paper ball
TOMATO_RADIUS, TOMATO_HEIGHT = 0.036, 0.062
BIN_HEIGHT, BIN_FOOT, BIN_TOP, WALL, FLOOR = 0.125, 0.066, 0.082, 0.004, 0.006  # radii at the foot and the rim
SIDES = 12  # flat walls that the bin's collision shape has
APART, APART_FROM_BIN = 0.13, 0.21  # between middles: the hand fits between
HIDDEN_BEHIND = 0.14  # to both sides of the bin's middle: the bin hides objects behind it
DROP, CARRY = 0.015, 0.14  # of the ball's middle above the bin's rim: at the release, and on the way
PAPER, TIN, RIM = (0.90, 0.90, 0.88), (0.13, 0.15, 0.20), (0.42, 0.45, 0.50)
RED, LEAF = (0.82, 0.07, 0.04), (0.10, 0.42, 0.10)
TOMATOES = ("tomato", "other_tomato")


class PutRubbishInBin(Task):
    """One variation."""

    name, objects = "put_rubbish_in_bin", ("rubbish", "bin")
    plan = (
        "move above the rubbish",
        "grasp the rubbish",
        "lift the rubbish",
        "move above the bin",
        "drop the rubbish into the bin",
    )
    can_hold = True

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        _add_bin(spec)
        _add_rubbish(spec)
        for tomato in TOMATOES:
            _add_tomato(spec, tomato)

    def place(self, scene, rng: np.random.Generator) -> None:
        places = _draw_places(rng)
        while not _stand_free(places):
            places = _draw_places(rng)
        heights = (0, RADIUS, *[TOMATO_HEIGHT / 2] * len(TOMATOES))
        for body, place, height in zip(("bin", "rubbish", *TOMATOES), places, heights):
            turn = axis_angle([0, 0, 1], rng.uniform(-np.pi, np.pi))
            scene.set_body(body, place + [0, 0, height], turn)

    def instructions(self, variation: int = 0) -> list[str]:
        return [
            "throw the rubbish into the bin",
            "pick up the crumpled paper and drop it into the bin",
            "take the paper ball to the bin, leave the tomatoes where they are",
            "clear the rubbish off the table and into the bin",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        rubbish, opening = self.positions(scene)
        carry = TABLE_HEIGHT + BIN_HEIGHT + CARRY - rubbish[2]
        poses = (
            above(rubbish, 0.12),
            above(rubbish, 0),
            above(rubbish, carry),
            above(opening, CARRY),
            above(opening, DROP),
        )
        names = ("pre-grasp", "grasp", "lift", "above", "release")
        return [Waypoint(*step) for step in zip(names, poses, (None, 0.0, None, None, 1.0), self.plan)]

    def success(self, scene) -> bool:
        rubbish, opening = self.positions(scene)
        away = rubbish - opening
        inside = norm(away[:2]) < BIN_FOOT and -BIN_HEIGHT < away[2] < -BIN_HEIGHT / 2
        return bool(inside and scene.objects_rest() and scene.gripper_open_amount() > 0.9)

    def positions(self, scene) -> np.ndarray:
        return np.array([scene.data.body("rubbish").xpos, scene.data.body("bin").xpos + [0, 0, BIN_HEIGHT]])

    def hold(self, scene) -> None:
        scene.put_in_gripper("rubbish", RADIUS)


def _draw_places(rng: np.random.Generator) -> list[np.ndarray]:
    """Sample the positions of the bin, the rubbish and the tomatoes."""
    return [random_place(rng, 0.05), random_place(rng, 0.02), *(random_place(rng) for _ in TOMATOES)]


def _stand_free(places: list[np.ndarray]) -> bool:
    """Return whether the hand fits between the objects, and the bin hides none from the front camera."""
    place, *others = places
    away = np.array(others) - place
    hidden = (np.abs(away[:, 1]) < HIDDEN_BEHIND) & (away[:, 0] < 0)
    between = [norm(a - b) for n, a in enumerate(others) for b in others[:n]]
    return not hidden.any() and norm(away).min() > APART_FROM_BIN and min(between) > APART


def _add_rubbish(spec: mujoco.MjSpec) -> None:
    body = add_free_body(spec, "rubbish")
    turn = np.linspace(-np.pi / 2, np.pi / 2, 10)
    outline = list(zip(RADIUS * np.cos(turn).clip(0).round(6), RADIUS * np.sin(turn)))
    paper = crumple(lathe(outline, 14), np.random.default_rng(2))
    add_mesh(spec, body, "paper", paper, PAPER, material="enamel")
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_SPHERE,
        size=(RADIUS, 0, 0),
        mass=0.03,
        friction=(1.0, 0.02, 0.003),
        condim=6,
        group=HIDDEN,
    )


def crumple(surface: tuple[np.ndarray, np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Push a round surface in along random creases, flat-shaded."""
    vertices, faces = surface
    direction = vertices / norm(vertices)[:, None]
    creases = np.abs(np.sin(matmul(direction, rng.normal(0, 3.0, (3, 5))) + rng.uniform(0, np.pi, 5))).mean(axis=1)
    crumpled = vertices * (0.78 + 0.45 * creases[:, None])
    return crumpled[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3)


def _add_tomato(spec: mujoco.MjSpec, name: str) -> None:
    """Add a tomato; the body's origin is its middle."""
    body = add_free_body(spec, name)
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_ELLIPSOID,
        size=(TOMATO_RADIUS, TOMATO_RADIUS, TOMATO_HEIGHT / 2),
        rgba=(*RED, 1),
        material="enamel",
        mass=0.08,
        friction=(1.0, 0.02, 0.003),
        condim=6,
    )
    top = TOMATO_HEIGHT / 2
    leaves = lathe(
        [(0, top - 0.006), (0.017, top - 0.005), (0.004, top + 0.002), (0.003, top + 0.012), (0, top + 0.012)], 5
    )
    add_mesh(spec, body, f"{name}_leaves", leaves, LEAF, material="enamel")


def _add_bin(spec: mujoco.MjSpec) -> None:
    """A fixed, open, tapered bin; the body's origin is the middle of its foot."""
    body = spec.worldbody.add_body(name="bin")
    outline = [
        (0, 0),
        (BIN_FOOT, 0),
        (BIN_TOP, BIN_HEIGHT),
        (BIN_TOP - WALL, BIN_HEIGHT),
        (BIN_FOOT - WALL, FLOOR),
        (0, FLOOR),
    ]
    add_mesh(spec, body, "bin", lathe(outline, 36), TIN, material="enamel")
    low, high, out = BIN_HEIGHT - 0.012, BIN_HEIGHT + 0.002, BIN_TOP + 0.003
    rim = [(BIN_TOP - 0.003, low), (out, low), (out, high), (BIN_TOP - WALL - 0.001, high)]
    add_mesh(spec, body, "rim", lathe(rim, 36), RIM, material="enamel")
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER, pos=(0, 0, FLOOR / 2), size=(BIN_FOOT, FLOOR / 2, 0), group=HIDDEN
    )
    middle, lean = (BIN_FOOT + BIN_TOP - WALL) / 2, math.atan2(BIN_TOP - BIN_FOOT, BIN_HEIGHT)
    for angle in 2 * np.pi * np.arange(SIDES) / SIDES:
        turn = multiply(axis_angle([0, 0, 1], angle), axis_angle([0, 1, 0], lean))
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=(middle * np.cos(angle), middle * np.sin(angle), BIN_HEIGHT / 2),
            quat=np.roll(turn, 1),
            size=(WALL / 2, BIN_TOP * math.tan(math.pi / SIDES), BIN_HEIGHT / 2),
            group=HIDDEN,
        )


TASK = PutRubbishInBin
