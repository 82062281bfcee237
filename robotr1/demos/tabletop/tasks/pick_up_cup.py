"""RLBench's pick_up_cup: grasp the cup of the named colour and lift it; another cup distracts."""

import numpy as np

from robotr1.demos.poses import axis_angle
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN, add_mesh, lathe, tube
from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, add_free_body, grasp_yaw, random_place
from robotr1.demos.tabletop.world import TABLE_HEIGHT
from robotr1.linear import norm

HEIGHT, BOTTOM, TOP, WALL = 0.115, 0.033, 0.0365, 0.004  # metres; radii at the bottom and the rim
GRASP_DEPTH = 0.035  # of the tip below the rim
LIFT = 0.22
APART = 0.17  # between the two cups' middles
REST = np.array([0, 0, HEIGHT / 2])


class PickUpCup(Task):
    """Variation = the cup's colour, in RLBench's order."""

    name, objects = "pick_up_cup", ("cup",)
    plan = ("move above the cup", "grasp the cup", "lift the cup")
    variations = len(colors.NAMES)
    can_hold = True

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        for cup in ("cup", "other_cup"):
            _add_cup(spec, cup)

    def place(self, scene, rng: np.random.Generator) -> None:
        color = colors.NAMES[scene.variation]
        other = rng.choice(colors.unlike(color))
        here = there = random_place(rng)
        while norm(here - there) < APART:
            there = random_place(rng)
        for cup, place, paint in (("cup", here, color), ("other_cup", there, other)):
            scene.set_body(cup, place + REST, axis_angle([0, 0, 1], rng.uniform(-np.pi, np.pi)))
            for part in ("bowl", "handle"):
                scene.model.geom(f"{cup}_{part}").rgba = colors.paint(paint)

    def instructions(self, variation: int = 0) -> list[str]:
        color = colors.NAMES[variation]
        return [
            f"pick up the {color} cup",
            f"grasp the {color} cup and lift it",
            f"lift the {color} cup off the table",
            f"take the {color} cup and raise it",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        cup, yaw = scene.body_pose("cup"), grasp_yaw(scene.body_yaw("cup"))
        height = HEIGHT / 2 - GRASP_DEPTH
        return [
            Waypoint("pre-grasp", above(cup[:3], height + 0.12, yaw), None, self.plan[0]),
            Waypoint("grasp", above(cup[:3], height, yaw), 0.0, self.plan[1]),
            Waypoint("lift", above(cup[:3], height + LIFT, yaw), None, self.plan[2]),
        ]

    def success(self, scene) -> bool:
        lifted = self.positions(scene)[0][2] > TABLE_HEIGHT + HEIGHT / 2 + 0.1
        return bool(lifted and 0.1 < scene.gripper_open_amount() < 0.95)

    def positions(self, scene) -> np.ndarray:
        return np.array([scene.data.body("cup").xpos])

    def hold(self, scene) -> None:
        scene.put_in_gripper("cup", _radius(HEIGHT - GRASP_DEPTH), [0, 0, HEIGHT / 2 - GRASP_DEPTH])


def _radius(height: float) -> float:
    return BOTTOM + (TOP - BOTTOM) * height / HEIGHT


def _add_cup(spec: mujoco.MjSpec, name: str) -> None:
    """Add a cup; the body's origin is its middle, and the handle points along x."""
    body = add_free_body(spec, name)
    low, high = -HEIGHT / 2, HEIGHT / 2
    outline = [
        (0, low),
        (BOTTOM, low),
        (TOP, high),
        (TOP - WALL, high),
        (BOTTOM - WALL, low + 0.008),
        (0, low + 0.008),
    ]
    add_mesh(spec, body, f"{name}_bowl", lathe(outline), (1, 0, 0), material="enamel")
    turn = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 9)
    arc = np.stack([0.030 + 0.032 * np.cos(turn), 0 * turn, 0.004 + 0.033 * np.sin(turn)], axis=-1)
    add_mesh(spec, body, f"{name}_handle", tube(arc, 0.0055), (1, 0, 0), material="enamel")
    # Collision: a solid stack of three cylinders that follows the taper.
    for part in range(3):
        middle = (part + 0.5) * HEIGHT / 3
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            pos=(0, 0, low + middle),
            size=(_radius(middle), HEIGHT / 6, 0),
            mass=0.04,
            friction=(1.0, 0.02, 0.001),
            condim=4,
            group=HIDDEN,
        )


TASK = PickUpCup
