"""RLBench's close_jar: put the grey lid on the jar of the named colour and screw it on; another jar distracts.

RLBench requires that the lid is released at the right jar's mouth. Here it must also have been turned there.
"""

import numpy as np

from robotr1.demos.poses import axis_angle, matrix
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN, add_mesh, lathe
from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, add_free_body, grasp_yaw, random_place
from robotr1.linear import dot, norm

HEIGHT, RADIUS, WALL = 0.100, 0.048, 0.004  # metres, of a jar
NECK_RADIUS, NECK_HEIGHT = 0.035, 0.020
LID_RADIUS, LID_HEIGHT, SKIRT = 0.044, 0.020, 0.012  # the skirt reaches down around the neck
SKIRT_INSIDE = 0.038
KNOB = (0.034, 0.012, 0.016)  # half extents of the bar on the lid
KNOB_MIDDLE = np.array([0, 0, LID_HEIGHT + KNOB[2]])  # above the lid's lower edge, where it rests on the table
MOUTH = np.array([0, 0, HEIGHT])
SEAT = MOUTH - [0, 0, SKIRT]  # of the lid's lower edge, above a jar's foot
LIFT, APPROACH = 0.22, 0.10
APART = 0.18  # between the middles of lid and jars: the hand fits in between
TURN, ENOUGH = np.radians(90), np.radians(60)  # of the expert; for success
GREY, DARK = (0.42, 0.43, 0.45), (0.10, 0.10, 0.11)


class CloseJar(Task):
    """Variation = the jar's colour, in RLBench's order. `lid` is the lid's knob, `jar` that jar's mouth."""

    name, objects = "close_jar", ("lid", "jar")
    plan = (
        "move above the lid",
        "grasp the knob of the lid",
        "lift the lid",
        "move the lid above the jar",
        "put the lid on the jar",
        "turn the lid on the jar and let go",
    )
    variations = len(colors.NAMES)
    can_hold = True

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        for jar in ("jar", "other_jar"):
            _add_jar(spec, jar)
        _add_lid(spec)

    def place(self, scene, rng: np.random.Generator) -> None:
        color = colors.NAMES[scene.variation]
        other = rng.choice(colors.unlike(color))
        places = [random_place(rng)]
        while len(places) < 3:
            place = random_place(rng)
            if all(norm(place - taken) > APART for taken in places):
                places.append(place)
        scene.set_body("lid", places[0], axis_angle([0, 0, 1], rng.uniform(-np.pi, np.pi)))
        for jar, place, paint in (("jar", places[1], color), ("other_jar", places[2], other)):
            scene.set_body(jar, place, axis_angle([0, 0, 1], 0.0))
            scene.model.geom(f"{jar}_glass").rgba = colors.paint(paint)
        self.turned, self.yaw = 0.0, None

    def instructions(self, variation: int = 0) -> list[str]:
        color = colors.NAMES[variation]
        return [
            f"put the lid on the {color} jar and turn it",
            f"screw the grey lid onto the {color} jar",
            f"shut the {color} jar with the lid",
            f"grasp the lid and twist it onto the {color} jar",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        lid, seat = self.positions(scene)[0], scene.body_pose("jar")[:3] + SEAT + KNOB_MIDDLE
        yaw, put, turned = grasp_yaw(scene.body_yaw("lid")), TURN / 2, -TURN / 2  # a screw is tightened clockwise
        return [
            Waypoint("pre-grasp", above(lid, APPROACH, yaw), None, self.plan[0]),
            Waypoint("grasp", above(lid, 0, yaw), 0.0, self.plan[1]),
            Waypoint("lift", above(lid, LIFT, yaw), None, self.plan[2]),
            Waypoint("pre-place", above(seat, APPROACH, put), None, self.plan[3]),
            Waypoint("place", above(seat, 0, put), None, self.plan[4]),
            Waypoint("turn", above(seat, 0, turned), 1.0, self.plan[5]),
        ]

    def success(self, scene) -> bool:
        done = _is_seated(scene) and self.turned > ENOUGH
        return bool(done and scene.gripper_open_amount() > 0.9 and scene.objects_rest())

    def positions(self, scene) -> np.ndarray:
        lid = scene.body_pose("lid")
        return np.array([lid[:3] + dot(matrix(lid[3:]), KNOB_MIDDLE), scene.data.body("jar").xpos + MOUTH])

    def update(self, scene) -> None:
        """Track how far the lid was turned clockwise since it was seated on the jar."""
        before, self.yaw = self.yaw, scene.body_yaw("lid") if _is_seated(scene) else None
        if self.yaw is None:
            self.turned = 0.0
        elif before is not None:
            self.turned += (before - self.yaw + np.pi) % (2 * np.pi) - np.pi

    def state(self) -> tuple:
        return self.turned, self.yaw

    def restore(self, scene, state: tuple) -> None:
        self.turned, self.yaw = state

    def hold(self, scene) -> None:
        scene.put_in_gripper("lid", KNOB[1], KNOB_MIDDLE)


def _is_seated(scene) -> bool:
    """Return whether the lid lies flat on the neck of the right jar."""
    lid = scene.body_pose("lid")
    away = lid[:3] - scene.data.body("jar").xpos - SEAT
    flat = matrix(lid[3:])[2, 2] > 0.99
    return bool(flat and norm(away[:2]) < 0.008 and abs(away[2]) < 0.003)


def _add_jar(spec: mujoco.MjSpec, name: str) -> None:
    """Add a fixed jar; the body's origin is the middle of its foot."""
    body = spec.worldbody.add_body(name=name)
    shoulder, inner, neck = HEIGHT - NECK_HEIGHT, RADIUS - WALL, NECK_RADIUS
    outline = [
        (0, 0),
        (RADIUS - 0.006, 0),
        (RADIUS, 0.006),
        (RADIUS, shoulder - 0.018),
        (RADIUS - 0.006, shoulder - 0.007),
        (neck, shoulder),
        (neck, HEIGHT),
        (neck - WALL, HEIGHT),
        (neck - WALL, shoulder - WALL),
        (inner - 0.006, shoulder - 0.018),
        (inner, 0.008),
        (0, 0.008),
    ]
    add_mesh(spec, body, f"{name}_glass", lathe(outline, 32), (1, 0, 0), material="enamel")
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        pos=(0, 0, HEIGHT - 0.006),
        size=(neck - WALL, 0.001, 0),
        rgba=(*DARK, 1),
        contype=0,
        conaffinity=0,
    )
    solid = {"type": mujoco.mjtGeom.mjGEOM_CYLINDER, "group": HIDDEN}
    body.add_geom(pos=(0, 0, shoulder / 2), size=(RADIUS, shoulder / 2, 0), **solid)
    body.add_geom(pos=(0, 0, HEIGHT - NECK_HEIGHT / 2), size=(neck, NECK_HEIGHT / 2, 0), **solid)


def _add_lid(spec: mujoco.MjSpec) -> None:
    """Add a hollow cap with a bar on top along x; the body's origin is the middle of its lower edge."""
    body = add_free_body(spec, "lid")
    outline = [
        (0, SKIRT),
        (SKIRT_INSIDE, SKIRT),
        (SKIRT_INSIDE, 0),
        (LID_RADIUS, 0),
        (LID_RADIUS, LID_HEIGHT - 0.004),
        (LID_RADIUS - 0.004, LID_HEIGHT),
        (0, LID_HEIGHT),
    ]
    add_mesh(spec, body, "lid_cap", lathe(outline, 32), GREY, material="enamel")
    # Hard, and with priority over the pads: closing fingers would sink into an object this flat and lose it.
    solid = {"condim": 4, "friction": (1.5, 0.05, 0.001), "solref": (0.005, 1), "priority": 2, "group": HIDDEN}
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=KNOB_MIDDLE,
        size=KNOB,
        rgba=(*DARK, 1),
        material="enamel",
        mass=0.02,
        **(solid | {"group": 1}),
    )
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        pos=(0, 0, (SKIRT + LID_HEIGHT) / 2),
        size=(LID_RADIUS, (LID_HEIGHT - SKIRT) / 2, 0),
        mass=0.04,
        **solid,
    )
    # The skirt: a ring of eight boxes.
    thickness = LID_RADIUS - SKIRT_INSIDE - 0.002
    middle = SKIRT_INSIDE + thickness / 2
    for angle in np.arange(8) * np.pi / 4:
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=(middle * np.cos(angle), middle * np.sin(angle), SKIRT / 2),
            quat=(np.cos(angle / 2), 0, 0, np.sin(angle / 2)),
            size=(thickness / 2, 0.014, SKIRT / 2),
            mass=0.003,
            **solid,
        )


TASK = CloseJar
