"""Random images of the tabletop with their true positions, without physics, to pretrain the tiny base's vision.

A snapshot is rendered exactly as a demonstration's frames are. Inverse kinematics puts the arm at a random tip pose,
most often pointing down. Some tips are at the task's waypoints or between two of them, and in some images the gripper
carries the object.
"""

from dataclasses import dataclass

import numpy as np

from robotr1.demos.poses import axis_angle, downward, mix, multiply, pose
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.scene import HOME_Q, TabletopScene

TIP_X, TIP_Y, TIP_Z = (-0.05, 0.60), (-0.45, 0.45), (0.77, 1.50)
SHARE_HELD, SHARE_ON_THE_WAY = 0.15, 0.40
DEEPEST = 0.004  # metres of penetration between two objects above which a draw is rejected
TRIES = 200

_scenes: dict[tuple[str, int], TabletopScene] = {}


@dataclass(frozen=True, eq=False)
class Moment:
    """A tip pose [7] to try, the gripper open or closed, and whether it carries the object."""

    tip: np.ndarray
    is_open: bool
    held: bool


def random_snapshot(task: str, rng: np.random.Generator, image_size: int = 224) -> tuple[np.ndarray, dict]:
    """Render one front image uint8 [image_size, image_size, 3] and return it with its facts.

    The facts are `gripper` [3] and `objects` [K,3] (xyz of the tip and of the task's objects in metres), `open` (bool)
    and `task`.

    Raises:
        KeyError: unknown task.
        RuntimeError: no reachable pose in TRIES draws (an error of the scene, not chance).
    """
    scene = _scene(task, image_size)
    pose_randomly(scene, rng)
    facts = {
        "gripper": scene.tip_pose()[:3],
        "objects": scene.positions(),
        "open": scene.gripper_open_amount() > 0.9,
        "task": task,
    }
    return scene.render("front"), facts


def pose_randomly(scene: TabletopScene, rng: np.random.Generator) -> None:
    """Place the objects anew and put arm and gripper in a random state that a demonstration could have."""
    scene.reset(rng)
    kind = rng.random()
    stops, placed = _stops(scene), scene.data.qpos.copy()
    for _ in range(TRIES):
        if kind < SHARE_ON_THE_WAY:
            moment = _on_the_way(scene, stops, rng)
        else:
            held = scene.task.can_hold and kind < SHARE_ON_THE_WAY + SHARE_HELD
            moment = Moment(_anywhere(rng), bool(rng.random() < 0.5), held)
        q = scene.solve_ik(moment.tip, HOME_Q + rng.normal(0, 0.25, 7))
        if q is None:
            continue
        scene.data.qpos[:] = placed
        scene.set_arm(q)
        scene.set_gripper(1.0 if moment.is_open else 0.0)
        if moment.held:
            scene.task.hold(scene)
        scene.task.yield_to_tip(scene)
        mujoco.mj_forward(scene.model, scene.data)
        if not scene.data.ncon or scene.data.contact.dist.min() > -DEEPEST:
            scene.task.update(scene)
            return
    raise RuntimeError(f"{scene.task.name}: no reachable, free pose in {TRIES} draws")


def _scene(task: str, image_size: int) -> TabletopScene:
    """Return the compiled scene of a task, one per process, its renderer kept open."""
    key = (task, image_size)
    if key not in _scenes:
        _scenes[key] = TabletopScene(task, np.random.default_rng(0), image_size)
    return _scenes[key]


def _anywhere(rng: np.random.Generator) -> np.ndarray:
    """Sample a tip pose [7] over the table: more often low than high, seldom far from pointing down."""
    height = TIP_Z[0] + (TIP_Z[1] - TIP_Z[0]) * rng.beta(1.0, 1.4)
    position = np.array([rng.uniform(*TIP_X), rng.uniform(*TIP_Y), height])
    tilt = rng.normal(0, 0.12 if rng.random() < 0.75 else 0.45)
    direction = rng.uniform(-np.pi, np.pi)
    yaw = rng.uniform(-np.pi / 2, np.pi / 2) if rng.random() < 0.6 else rng.normal(0, 0.15)
    axis = [np.cos(direction), np.sin(direction), 0]
    return pose(position, multiply(axis_angle(axis, tilt), downward(yaw)))


def _stops(scene: TabletopScene) -> list[Moment]:
    """List home and the waypoints, each with the gripper's state on arrival."""
    stops, is_open = [Moment(scene.tip_pose(), True, False)], True
    for waypoint in scene.task.waypoints(scene):
        stops.append(Moment(waypoint.pose, is_open, scene.task.can_hold and not is_open))
        is_open = is_open if waypoint.gripper is None else waypoint.gripper > 0.5
    return stops


def _on_the_way(scene: TabletopScene, stops: list[Moment], rng: np.random.Generator) -> Moment:
    """Sample a moment at, around or on the way to one of the waypoints."""
    leg = int(rng.integers(1, len(stops)))
    start, end = stops[leg - 1], stops[leg]
    share = 1.0 if rng.random() < 0.5 else rng.random()
    tip = mix(start.tip, end.tip, share)
    tip[:3] += rng.normal(0, rng.choice([0.003, 0.03]), 3)
    tip[2] = max(tip[2], TIP_Z[0])
    after = stops[leg + 1] if leg + 1 < len(stops) and share == 1.0 and rng.random() < 0.5 else end
    return Moment(tip, after.is_open, after.held)
