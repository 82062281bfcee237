"""RLBench's phone_on_base: lay the handset of the telephone onto its base."""

import numpy as np

from robotr1.demos.poses import axis_angle, matrix
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN, add_mesh, lathe, tube
from robotr1.demos.tabletop.tasks.base import Task, Waypoint, above, add_free_body, random_place
from robotr1.linear import dot, norm

# The handset lies along x; its origin is the middle of the handle, GRIP above the two caps it rests on. Metres.
GRIP, HANDLE, REACH, CAP = 0.036, 0.0125, 0.064, 0.026  # height and half width of the handle; caps: place and radius
# The handset lies along the base's x at y = SEAT, beside the keys.
BASE, SEAT = (0.098, 0.082, 0.018), -0.042  # half extents
KEYS_X, KEYS_Y, KEY = -0.010 + 0.026 * np.arange(4), 0.014 + 0.023 * np.arange(3), (0.009, 0.008, 0.003)
SCREEN = (0.018, 0.031, 0.003)
APART, TURN = 0.22, 1.2  # between the middles; radians that the handset may be turned, the base by half of that
CARRY = 0.14  # of the handset over its seat on the way
GAP = 0.002  # between the caps and the base when the handset is let go
RED, CREAM, DARK = (0.78, 0.05, 0.06), (0.74, 0.69, 0.56), (0.12, 0.12, 0.14)


class PhoneOnBase(Task):
    """One variation: a red handset, a cream base."""

    name, objects = "phone_on_base", ("phone", "base")
    plan = (
        "move above the phone",
        "grasp the phone",
        "lift the phone",
        "move above the base",
        "lay the phone onto the base",
    )
    can_hold = True

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        _add_base(spec)
        _add_handset(spec)

    def place(self, scene, rng: np.random.Generator) -> None:
        here = there = random_place(rng, 0.05)
        while norm(here - there) < APART:
            there = random_place(rng, 0.08)
        scene.set_body("phone", here + [0, 0, GRIP], axis_angle([0, 0, 1], rng.uniform(-TURN, TURN)))
        scene.set_body("base", there, axis_angle([0, 0, 1], rng.uniform(-TURN / 2, TURN / 2)))

    def instructions(self, variation: int = 0) -> list[str]:
        return [
            "hang up the phone",
            "lay the handset onto its base",
            "pick up the phone and set it down on the base",
            "bring the phone back to where it belongs, on its base",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        phone, seat = self.positions(scene)
        yaw, goal = scene.body_yaw("phone"), scene.body_yaw("base")
        lift = seat[2] + CARRY - phone[2]
        poses = (
            above(phone, 0.12, yaw),
            above(phone, 0, yaw),
            above(phone, lift, yaw),
            above(seat, CARRY, goal),
            above(seat, GAP, goal),
        )
        names = ("pre-grasp", "grasp", "lift", "above", "place")
        return [Waypoint(*step) for step in zip(names, poses, (None, 0.0, None, None, 1.0), self.plan)]

    def success(self, scene) -> bool:
        phone, seat = self.positions(scene)
        along, goal = (matrix(scene.body_pose(name)[3:])[:, 0] for name in ("phone", "base"))
        lies = norm((phone - seat)[:2]) < 0.015 and abs(phone[2] - seat[2]) < 0.005
        return bool(lies and dot(along, goal) > 0.97 and scene.objects_rest() and scene.gripper_open_amount() > 0.9)

    def positions(self, scene) -> np.ndarray:
        base = scene.body_pose("base")
        seat = base[:3] + dot(matrix(base[3:]), [0, SEAT, 2 * BASE[2] + GRIP])
        return np.array([scene.data.body("phone").xpos, seat])

    def hold(self, scene) -> None:
        scene.put_in_gripper("phone", HANDLE)


def _add_handset(spec: mujoco.MjSpec) -> None:
    body = add_free_body(spec, "phone")
    solid = {"condim": 4, "friction": (1.0, 0.02, 0.001), "group": HIDDEN}
    bend = np.linspace(-1, 1, 9)
    arch = np.stack([(REACH + 0.012) * bend, 0 * bend, -0.014 * (bend * bend) ** 2], axis=-1)
    add_mesh(spec, body, "handle", tube(arch, HANDLE + 0.0005, 12), RED, material="enamel")
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(REACH, HANDLE, HANDLE), mass=0.06, **solid)
    top = GRIP + 0.002
    cap = lathe([(0, 0), (CAP, 0), (CAP, 0.014), (CAP - 0.008, top - 0.006), (CAP - 0.014, top), (0, top)], 20)
    for side in (-1, 1):
        place = np.array([side * REACH, 0, -GRIP])
        add_mesh(spec, body, f"cap{side}", cap, RED, pos=place, material="enamel")
        half = GRIP / 2
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER, pos=place + [0, 0, half], size=(CAP, half, 0), mass=0.03, **solid
        )


def _add_base(spec: mujoco.MjSpec) -> None:
    """Add a fixed base with keys, a screen and a ridge between the handset's caps; the origin is its foot."""
    body = spec.worldbody.add_body(name="base")
    box, top = mujoco.mjtGeom.mjGEOM_BOX, 2 * BASE[2]
    body.add_geom(name="base", type=box, pos=(0, 0, BASE[2]), size=BASE, rgba=(*CREAM, 1), material="enamel")
    shown = {"type": box, "rgba": (*DARK, 1), "contype": 0, "conaffinity": 0}
    body.add_geom(pos=(-0.060, KEYS_Y[1], top + SCREEN[2] - 0.001), size=SCREEN, **shown)
    for x in KEYS_X:
        for y in KEYS_Y:
            body.add_geom(pos=(x, y, top + KEY[2] - 0.001), size=KEY, **shown)
    body.add_geom(name="ridge", type=box, pos=(0, SEAT, top + 0.007), size=(0.030, 0.016, 0.007), rgba=(*DARK, 1))


TASK = PhoneOnBase
