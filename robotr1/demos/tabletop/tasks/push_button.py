"""RLBench's push_button: press the button of the named colour with closed fingers."""

import numpy as np

from robotr1.demos.poses import axis_angle
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, random_place
from robotr1.linear import norm

PLATE = (0.070, 0.070, 0.016)  # half extents, metres
CAP_RADIUS, CAP_HEIGHT, TRAVEL = 0.042, 0.030, 0.016
TIP_TO_PAD = 0.002  # metres that the fingers end beyond the tip


def add_button(spec: mujoco.MjSpec, body, position=(0, 0, 0), radius: float = CAP_RADIUS) -> None:
    """Add a cap on a spring; `position` is the foot of the released cap in the body's frame."""
    cap = body.add_body(name="cap", pos=position)
    cap.add_joint(
        name="cap",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=(0, 0, -1),
        range=(0, TRAVEL),
        limited=True,
        stiffness=150,
        springref=-0.002,
        damping=3,
        armature=0.02,
    )
    half = CAP_HEIGHT / 2
    cap.gravcomp = 1
    cap.add_geom(
        name="cap",
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        pos=(0, 0, half),
        size=(radius, half, 0),
        mass=0.05,
        material="enamel",
    )


def is_pressed(scene) -> bool:
    """Return whether the cap is down by three quarters of its travel."""
    return bool(scene.data.joint("cap").qpos[0] > 0.75 * TRAVEL)


def press_with_tip(scene) -> None:
    """Without physics: move the cap down as far as the tip is below its released top."""
    middle = scene.data.geom("cap").xpos
    away = scene.tip_pose()[:3] - middle - [0, 0, CAP_HEIGHT / 2 + TIP_TO_PAD]
    over = norm(away[:2]) < scene.model.geom("cap").size[0]
    depth = scene.data.joint("cap").qpos[0] - away[2]
    scene.data.joint("cap").qpos[0] = np.clip(depth, 0, TRAVEL) if over else 0.0


class PushButton(Task):
    """Variation = the button's colour, in RLBench's order."""

    name, objects = "push_button", ("button",)
    plan = ("move above the button", "press the button")
    variations = len(colors.NAMES)

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        body = spec.worldbody.add_body(name="button")
        body.add_geom(
            name="plate",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=(0, 0, PLATE[2]),
            size=PLATE,
            rgba=(0.16, 0.17, 0.2, 1),
        )
        add_button(spec, body, (0, 0, 2 * PLATE[2]))
        spec.add_exclude(bodyname1="button", bodyname2="cap")

    def place(self, scene, rng: np.random.Generator) -> None:
        scene.set_body("button", random_place(rng, 0.02), axis_angle([0, 0, 1], rng.uniform(-0.8, 0.8)))
        scene.model.geom("cap").rgba = colors.paint(colors.NAMES[scene.variation])

    def instructions(self, variation: int = 0) -> list[str]:
        color = colors.NAMES[variation]
        return [
            f"push the {color} button",
            f"press the {color} button down",
            f"push down the button with the {color} cap",
            f"press the {color} button on the table",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        top = self.positions(scene)[0]
        return [
            Waypoint("pre-press", above(top, 0.10), 0.0, self.plan[0]),
            Waypoint("press", above(top, TIP_TO_PAD - TRAVEL), None, self.plan[1]),
        ]

    def success(self, scene) -> bool:
        return is_pressed(scene)

    def positions(self, scene) -> np.ndarray:
        return np.array([scene.data.geom("cap").xpos + [0, 0, CAP_HEIGHT / 2]])

    def yield_to_tip(self, scene) -> None:
        press_with_tip(scene)


TASK = PushButton
