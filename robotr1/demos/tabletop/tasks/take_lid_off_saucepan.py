"""RLBench's take_lid_off_saucepan: grasp the lid by its knob and lift it off."""

import numpy as np

from robotr1.demos.poses import axis_angle, matrix
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN, add_mesh, lathe
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, add_free_body, grasp_yaw, random_place
from robotr1.demos.tabletop.world import TABLE_HEIGHT
from robotr1.linear import dot

RADIUS, HEIGHT, WALL = 0.090, 0.075, 0.004  # metres
LID, DOME = 0.006, 0.014  # thickness at the rim, rise of the dome
KNOB_RADIUS, KNOB_FOOT, KNOB_TOP = 0.016, DOME, 0.052  # heights above the pan's rim
KNOB = np.array([0, 0, (KNOB_FOOT + KNOB_TOP) / 2])
GRASP_DEPTH = 0.024  # of the tip below the knob's top
LIFT = 0.20
BLUE, DARK, PALE = (0.10, 0.22, 0.62), (0.08, 0.08, 0.09), (0.45, 0.66, 0.92)


class TakeLidOffSaucepan(Task):
    """One variation: a blue saucepan, a light blue lid with a black knob."""

    name, objects = "take_lid_off_saucepan", ("lid",)
    plan = ("move above the lid", "grasp the knob of the lid", "lift the lid off the saucepan")
    can_hold = True

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        _add_pan(spec)
        _add_lid(spec)

    def place(self, scene, rng: np.random.Generator) -> None:
        place, yaw = random_place(rng, 0.05), rng.uniform(-np.pi / 2, np.pi / 2)
        turn = axis_angle([0, 0, 1], yaw)
        scene.set_body("saucepan", place, turn)
        scene.set_body("lid", place + [0, 0, HEIGHT], turn)

    def instructions(self, variation: int = 0) -> list[str]:
        return [
            "take the lid off the saucepan",
            "lift the lid from the saucepan",
            "open the saucepan by lifting its lid",
            "grasp the knob and take the lid off the pan",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        knob, yaw = self.positions(scene)[0], grasp_yaw(scene.body_yaw("lid"))
        height = KNOB_TOP - KNOB[2] - GRASP_DEPTH
        return [
            Waypoint("pre-grasp", above(knob, height + 0.10, yaw), None, self.plan[0]),
            Waypoint("grasp", above(knob, height, yaw), 0.0, self.plan[1]),
            Waypoint("lift", above(knob, height + LIFT, yaw), None, self.plan[2]),
        ]

    def success(self, scene) -> bool:
        return bool(scene.data.body("lid").xpos[2] > TABLE_HEIGHT + HEIGHT + 0.1)

    def positions(self, scene) -> np.ndarray:
        lid = scene.body_pose("lid")
        return np.array([lid[:3] + dot(matrix(lid[3:]), KNOB)])

    def hold(self, scene) -> None:
        scene.put_in_gripper("lid", KNOB_RADIUS, [0, 0, KNOB_TOP - GRASP_DEPTH])


def _add_pan(spec: mujoco.MjSpec) -> None:
    """Add a fixed pan; the body's origin is its foot, and the handle points along y."""
    body = spec.worldbody.add_body(name="saucepan")
    inner, floor = RADIUS - WALL, 0.006
    outline = [
        (0, 0),
        (RADIUS - 0.008, 0),
        (RADIUS, 0.010),
        (RADIUS, HEIGHT),
        (inner, HEIGHT),
        (inner, floor),
        (0, floor),
    ]
    add_mesh(spec, body, "pan", lathe(outline, 36), BLUE, material="enamel")
    body.add_geom(
        name="pan_handle",
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=(0, RADIUS, HEIGHT - 0.014, 0, RADIUS + 0.12, HEIGHT - 0.004),
        size=(0.0095, 0, 0),
        rgba=(*DARK, 1),
        contype=0,
        conaffinity=0,
    )
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        pos=(0, 0, HEIGHT / 2),
        size=(RADIUS, HEIGHT / 2, 0),
        group=HIDDEN,
    )


def _add_lid(spec: mujoco.MjSpec) -> None:
    """Add a lid; the body's origin is the middle of its underside."""
    body = add_free_body(spec, "lid")
    rim = RADIUS + 0.004
    outline = [(0, 0), (rim, 0), (rim, LID), (0.75 * rim, LID + 0.005), (0.3 * rim, DOME), (0, DOME)]
    add_mesh(spec, body, "lid_dome", lathe(outline, 36), PALE, material="enamel")
    r, foot, top = KNOB_RADIUS, KNOB_FOOT - 0.002, KNOB_TOP
    knob = [(0, foot), (r, foot), (r, top - 0.004), (r - 0.004, top), (0, top)]
    add_mesh(spec, body, "lid_knob", lathe(knob, 16), DARK, material="enamel")
    solid = {"condim": 4, "friction": (1.0, 0.02, 0.001), "group": HIDDEN}
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_CYLINDER, pos=(0, 0, LID / 2), size=(rim, LID / 2, 0), mass=0.10, **solid)
    half = (KNOB_TOP - LID) / 2
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, pos=(0, 0, LID + half), size=(0.8 * r, r, half), mass=0.03, **solid)


TASK = TakeLidOffSaucepan
