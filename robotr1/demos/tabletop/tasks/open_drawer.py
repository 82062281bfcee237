"""RLBench's open_drawer: pull the named drawer of a small cabinet open by its handle."""

import math

import numpy as np

from robotr1.demos.poses import axis_angle, matrix, pose, quaternion
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN, VISUAL
from robotr1.demos.tabletop.tasks.base import Task, Waypoint
from robotr1.demos.tabletop.world import TABLE_HEIGHT
from robotr1.linear import dot, norm

LEVELS = ("bottom", "middle", "top")  # RLBench's order
DEPTH, WIDTH, HEIGHT, FOOT, BOARD = 0.17, 0.22, 0.28, 0.028, 0.012  # of the cabinet, metres
LEVEL_HEIGHT = (HEIGHT - FOOT - BOARD) / len(LEVELS)
PLATE, GAP = 0.012, 0.003  # of a drawer's front: thickness, distance to the next one
BAR = (0.008, 0.010, 0.027)  # half extents of the handle's upright bar
STAND_OFF = 0.036  # of the bar's middle from the front
TRAVEL, PULL, OPENED = 0.125, 0.120, 0.105
GRASP_DEPTH = 0.010  # of the tip behind the bar's middle
HANDLE_X, HANDLE_Y, FACING = (0.02, 0.17), (0.0, 0.22), np.radians([42, 70])
WALNUT, INSIDE, CREAM, STEEL = (0.34, 0.19, 0.09), (0.62, 0.46, 0.27), (0.93, 0.90, 0.82), (0.06, 0.07, 0.10)


class OpenDrawer(Task):
    """Variation = which of the three drawers. The cabinet faces one side and the front camera."""

    name, objects = "open_drawer", ("drawer",)
    plan = ("move in front of the drawer", "grasp the handle of the drawer", "pull the drawer open")
    variations = len(LEVELS)

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        cabinet = _add_cabinet(spec)
        for level, name in enumerate(LEVELS):
            _add_drawer(spec, cabinet, name, FOOT + BOARD / 2 + (level + 0.5) * LEVEL_HEIGHT)

    def place(self, scene, rng: np.random.Generator) -> None:
        side = rng.choice([-1.0, 1.0])
        yaw = side * rng.uniform(*FACING)
        handle = np.array([rng.uniform(*HANDLE_X), -side * rng.uniform(*HANDLE_Y), TABLE_HEIGHT])
        turn = axis_angle([0, 0, 1], yaw)
        scene.set_body("cabinet", handle - dot(matrix(turn), [DEPTH / 2 + STAND_OFF, 0, 0]), turn)

    def instructions(self, variation: int = 0) -> list[str]:
        level = LEVELS[variation]
        return [
            f"open the {level} drawer",
            f"pull the {level} drawer open",
            f"slide the {level} drawer out of the cabinet",
            f"take the handle of the {level} drawer and pull it towards you",
        ]

    def waypoints(self, scene) -> list[Waypoint]:
        grasp, outward = self.positions(scene)[0], self._outward(scene)
        grasp -= GRASP_DEPTH * outward
        hand = _pointing(-outward)
        return [
            Waypoint("pre-grasp", pose(grasp + 0.10 * outward, hand), None, self.plan[0]),
            Waypoint("grasp", pose(grasp, hand), 0.0, self.plan[1]),
            Waypoint("pull", pose(grasp + PULL * outward, hand), None, self.plan[2]),
        ]

    def success(self, scene) -> bool:
        return bool(self._joint(scene).qpos[0] > OPENED)

    def positions(self, scene) -> np.ndarray:
        return np.array([scene.data.geom(f"{LEVELS[scene.variation]}_bar").xpos])

    def yield_to_tip(self, scene) -> None:
        """Without physics: closed fingers on the handle's path hold it and pull the drawer out."""
        joint = self._joint(scene)
        joint.qpos[0] = 0.0
        mujoco.mj_kinematics(scene.model, scene.data)
        tip, outward = scene.tip_pose(), self._outward(scene)
        away = tip[:3] - self.positions(scene)[0] + GRASP_DEPTH * outward
        out = dot(away, outward)
        aside = norm(away - out * outward)
        aligned = dot(matrix(tip[3:])[:, 2], -outward) > math.cos(0.2)
        grasps = scene.gripper_open_amount() < 0.9 and aligned and aside < 0.006
        if grasps and -0.006 < out < TRAVEL:
            joint.qpos[0] = np.clip(out, 0, TRAVEL)
            scene.set_gripper(BAR[1] / 0.04)

    def _joint(self, scene):
        return scene.data.joint(f"{LEVELS[scene.variation]}_drawer")

    @staticmethod
    def _outward(scene) -> np.ndarray:
        return matrix(scene.body_pose("cabinet")[3:])[:, 0]


def _pointing(direction: np.ndarray) -> np.ndarray:
    """Return the quaternion of a gripper that points along the level `direction` [3], fingers opening sideways."""
    side = np.cross(direction, [0, 0, 1])
    return quaternion(np.stack([np.cross(side, direction), side, direction], axis=1))


def _add_board(body, position, half, color, **options) -> None:
    looks = {"rgba": (*color, 1), "material": "enamel"} | VISUAL | options
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, pos=position, size=half, **looks)


def _add_cabinet(spec: mujoco.MjSpec):
    """Add a fixed cabinet; the body's origin is the middle of its foot, and the front faces x."""
    body = spec.worldbody.add_body(name="cabinet")
    x, y, z, t = DEPTH / 2, WIDTH / 2, HEIGHT / 2, BOARD / 2
    for side in (-1, 1):
        _add_board(body, (0, side * (y - t), z + FOOT / 2), (x, t, z - FOOT / 2), WALNUT)
    _add_board(body, (-x + t, 0, z + FOOT / 2), (t, y, z - FOOT / 2), WALNUT)
    for level in range(len(LEVELS) + 1):
        _add_board(body, (0, 0, FOOT + t + level * LEVEL_HEIGHT), (x, y, t), WALNUT)
    _add_board(body, (-0.01, 0, FOOT / 2), (x - 0.01, y - 0.01, FOOT / 2), STEEL)
    solid = {"type": mujoco.mjtGeom.mjGEOM_BOX, "group": HIDDEN}
    body.add_geom(name="cabinet", pos=(0, 0, z), size=(x, y, z), **solid)
    return body


def _add_drawer(spec: mujoco.MjSpec, cabinet, level: str, height: float) -> None:
    """Add a drawer that slides along x; the body's origin is the middle of its front plate's outer face."""
    body = cabinet.add_body(name=f"{level}_drawer", pos=(DEPTH / 2, 0, height))
    body.gravcomp = 1
    body.add_joint(
        name=f"{level}_drawer",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=(1, 0, 0),
        range=(0, TRAVEL),
        limited=True,
        damping=8,
        frictionloss=1.0,
        armature=0.05,
    )
    y, z = WIDTH / 2 - BOARD - GAP / 2, (LEVEL_HEIGHT - BOARD - GAP) / 2
    _add_board(body, (-PLATE / 2, 0, 0), (PLATE / 2, y, z), CREAM, name=f"{level}_front")
    length, wall = DEPTH - BOARD - PLATE - GAP, 0.004
    _add_board(body, (-PLATE - length / 2, 0, -z + wall), (length / 2, y, wall), INSIDE)
    for side in (-1, 1):
        _add_board(body, (-PLATE - length / 2, side * (y - wall), -wall), (length / 2, wall, z - wall), INSIDE)
    _add_board(body, (-PLATE - length, 0, -wall), (wall, y, z - wall), INSIDE)
    for end in (-1, 1):
        post = STAND_OFF / 2, 0, end * (BAR[2] - 0.005)
        _add_board(body, post, (STAND_OFF / 2, 0.005, 0.005), STEEL)
    _add_board(body, (STAND_OFF, 0, 0), BAR, STEEL, name=f"{level}_bar")
    solid = {"type": mujoco.mjtGeom.mjGEOM_BOX, "group": HIDDEN}
    body.add_geom(pos=(-DEPTH / 2, 0, 0), size=(DEPTH / 2 - BOARD, y, z), mass=0.5, **solid)
    reach = (STAND_OFF + BAR[0]) / 2
    body.add_geom(pos=(reach, 0, 0), size=(reach, *BAR[1:]), mass=0.05, friction=(1.0, 0.02, 0.001), condim=4, **solid)
    spec.add_exclude(bodyname1="cabinet", bodyname2=f"{level}_drawer")


TASK = OpenDrawer
