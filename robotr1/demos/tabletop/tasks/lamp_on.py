"""RLBench's lamp_on (kept for testing): press the button on the lamp's foot to light the bulb."""

import math

import numpy as np

from robotr1.demos.poses import axis_angle
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import add_mesh, lathe
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, random_place
from robotr1.demos.tabletop.tasks.push_button import (
    CAP_HEIGHT,
    TIP_TO_PAD,
    TRAVEL,
    add_button,
    is_pressed,
    press_with_tip,
)

FOOT = (0.048, 0.105, 0.012)  # half extents, metres
STEM_Y, STEM_HEIGHT = 0.155, 0.26  # the button is at the body's origin, the stem along y
LEAST_YAW = -1.25  # radians: with a smaller yaw the hand cannot reach buttons far to the side
GREEN, METAL, CAP = (0.10, 0.42, 0.22), (0.20, 0.21, 0.23), (0.95, 0.80, 0.10)
DARK_SHADE, LIT_SHADE = (*GREEN, 1), (0.80, 0.95, 0.35, 1)
DARK_BULB, LIT_BULB = (0.55, 0.52, 0.42, 1), (1.0, 0.95, 0.55, 1)


class LampOn(Task):
    """One variation: a lamp with a green shade."""

    name, objects = "lamp_on", ("lamp",)
    plan = ("move above the button of the lamp", "press the button of the lamp")

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        body = spec.worldbody.add_body(name="lamp")
        body.add_geom(
            name="foot",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=(0, FOOT[1] - FOOT[0] + 0.010, FOOT[2]),
            size=FOOT,
            rgba=(*METAL, 1),
            material="enamel",
        )
        add_button(spec, body, (0, 0, 2 * FOOT[2]), radius=0.026)
        spec.add_exclude(bodyname1="lamp", bodyname2="cap")
        spec.geom("cap").rgba = (*CAP, 1)
        top = np.array([0, STEM_Y, STEM_HEIGHT])
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            fromto=(0, STEM_Y, 2 * FOOT[2], *top),
            size=(0.008, 0, 0),
            rgba=(*METAL, 1),
            contype=0,
            conaffinity=0,
        )
        outer, inner = [(0.030, 0.03), (0.075, -0.06)], [(0.071, -0.06), (0.027, 0.03)]
        shade = lathe([inner[0], outer[1], outer[0], inner[1]])
        add_mesh(spec, body, "shade", shade, GREEN, pos=top, material="enamel")
        body.add_geom(
            name="bulb",
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            pos=top - [0, 0, 0.048],
            size=(0.030, 0, 0),
            rgba=DARK_BULB,
            contype=0,
            conaffinity=0,
        )

    def place(self, scene, rng: np.random.Generator) -> None:
        self.lit = False
        middle = random_place(rng, 0.06)
        yaw = rng.choice([-1.0, 1.0]) * np.pi / 2 + np.pi / 2 + rng.uniform(-0.6, 0.6)
        button = middle - STEM_Y / 2 * np.array([-np.sin(yaw), np.cos(yaw), 0])
        scene.set_body("lamp", button, axis_angle([0, 0, 1], yaw))
        self._light(scene)

    def instructions(self, variation: int = 0) -> list[str]:
        return [
            "turn on the lamp",
            "switch the lamp on",
            "press the button of the lamp to turn it on",
            "push the lamp's button so that it lights up",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        top = self.positions(scene)[0]
        stem = scene.data.geom("shade").xpos - top
        # The hand is flat: its broad side faces the stem.
        yaw = (math.atan2(stem[1], stem[0]) - LEAST_YAW) % np.pi + LEAST_YAW
        return [
            Waypoint("pre-press", above(top, 0.10, yaw), 0.0, self.plan[0]),
            Waypoint("press", above(top, TIP_TO_PAD - TRAVEL, yaw), None, self.plan[1]),
        ]

    def success(self, scene) -> bool:
        return self.lit or is_pressed(scene)

    def positions(self, scene) -> np.ndarray:
        return np.array([scene.data.geom("cap").xpos + [0, 0, CAP_HEIGHT / 2]])

    def update(self, scene) -> None:
        if is_pressed(scene) and not self.lit:
            self.lit = True
            self._light(scene)

    def yield_to_tip(self, scene) -> None:
        press_with_tip(scene)

    def state(self) -> bool:
        return self.lit

    def restore(self, scene, state: bool) -> None:
        self.lit = state
        self._light(scene)

    def _light(self, scene) -> None:
        scene.model.geom("bulb").rgba = LIT_BULB if self.lit else DARK_BULB
        scene.model.geom("shade").rgba = LIT_SHADE if self.lit else DARK_SHADE


TASK = LampOn
