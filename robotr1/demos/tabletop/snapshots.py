"""Random images of the tabletop with their true positions, without physics, to pretrain the tiny base's vision.

A snapshot is rendered exactly as a demonstration's frames are. Inverse kinematics puts the arm at a random tip pose,
most often pointing down, inside the image. More than half of the tips are at the task's waypoints or between two of
them, and in some images the gripper carries the object.
"""

from dataclasses import dataclass

import numpy as np

from robotr1.demos.images import project
from robotr1.demos.poses import axis_angle, downward, mix, multiply, pose
from robotr1.demos.tabletop.cameras import CAMERAS, extrinsics
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.scene import HOME_Q, TabletopScene

TIP_X, TIP_Y, TIP_Z = (-0.05, 0.60), (-0.45, 0.45), (0.77, 1.50)
SHARE_HELD, SHARE_ON_THE_WAY = 0.20, 0.55
DEEPEST = 0.004  # metres of penetration between two objects above which a draw is rejected
TRIES = 200
NO_STEP = -1
FINGERS = ("leftfinger", "rightfinger")
BODIES = {"hole": "sorter"}  # objects whose body has another name
GRASPING = 0.05  # closed fingers that stay farther apart have something between them

_scenes: dict[tuple[str, int], TabletopScene] = {}


@dataclass(frozen=True, eq=False)
class Moment:
    """A tip pose [7] to try, the gripper open or closed, and whether it carries the object.

    `due` is the first waypoint that is not done yet, or `NO_STEP` for a pose that is part of no plan.
    """

    tip: np.ndarray
    is_open: bool
    held: bool
    due: int = NO_STEP


def random_snapshot(task: str, rng: np.random.Generator, image_size: int = 224) -> tuple[np.ndarray, dict]:
    """Render one front image uint8 [image_size, image_size, 3] and return it with its facts.

    The facts, in metres, with K objects of the task and W waypoints of the placement:

    - `task`; `gripper` [3], the tip's position; `tip` [7], its pose; `objects` [K,3];
    - `opening` (0 closed to 1 open), `open` (bool), `held` (bool: the gripper carries or grasps the first object);
    - `waypoints` [W,3] in the order of the plan, as they were before anything moved; `due`, the first of them that is
      not done, or `NO_STEP`;
    - those of `pixel_facts`.

    Raises:
        KeyError: unknown task.
        RuntimeError: no reachable pose in TRIES draws (an error of the scene, not chance).
    """
    scene = _scene(task, image_size)
    waypoints, moment = pose_randomly(scene, rng)
    opening = scene.gripper_open_amount()
    facts = {
        "task": task,
        "gripper": scene.tip_pose()[:3],
        "tip": scene.tip_pose(),
        "objects": scene.positions(),
        "opening": opening,
        "open": opening > 0.9,
        "held": moment.held or (not moment.is_open and opening > GRASPING),
        "waypoints": waypoints,
        "due": moment.due,
    }
    return scene.render("front"), facts | pixel_facts(scene)


def pose_randomly(scene: TabletopScene, rng: np.random.Generator) -> tuple[np.ndarray, Moment]:
    """Place the objects anew and put arm and gripper in a random state that a demonstration could have.

    Returns the placement's waypoints [W,3] in metres, and the moment.
    """
    scene.reset(rng)
    kind = rng.random()
    stops, placed = _stops(scene), scene.data.qpos.copy()
    done = int(rng.integers(len(stops) - 1))
    for _ in range(TRIES):
        if kind < SHARE_ON_THE_WAY:
            moment = _on_the_way(scene, stops, rng)
        else:
            held = scene.task.can_hold and kind < SHARE_ON_THE_WAY + SHARE_HELD
            moment = Moment(_anywhere(rng), bool(rng.random() < 0.5) and not held, held)
        pixel = front_pixels(scene, moment.tip[None, :3])
        inside = ((pixel >= 0) & (pixel < 1)).all()
        q = scene.solve_ik(moment.tip, HOME_Q + rng.normal(0, 0.25, 7)) if inside else None
        if q is None:
            continue
        scene.data.qpos[:] = placed
        scene.task.advance(scene, done if moment.due == NO_STEP else moment.due)
        scene.set_arm(q)
        scene.set_gripper(1.0 if moment.is_open else 0.0)
        if moment.held:
            scene.task.hold(scene)
        scene.task.yield_to_tip(scene)
        mujoco.mj_forward(scene.model, scene.data)
        if not scene.data.ncon or scene.data.contact.dist.min() > -DEEPEST:
            scene.task.update(scene)
            return np.array([stop.tip[:3] for stop in stops[1:]]), moment
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
    """Sample a moment at, around or on the way to a waypoint; at it, before or after the gripper's command."""
    leg = int(rng.integers(1, len(stops)))
    start, end = stops[leg - 1], stops[leg]
    share = 1.0 if rng.random() < 0.5 else rng.random()
    tip = mix(start.tip, end.tip, share)
    tip[:3] += rng.normal(0, rng.choice([0.003, 0.03]), 3)
    tip[2] = max(tip[2], TIP_Z[0])
    last = leg + 1 == len(stops)
    if share < 1.0 or last or rng.random() < 0.5:
        arrived = share == 1.0 and not last and stops[leg + 1].is_open == end.is_open
        return Moment(tip, end.is_open, end.held, leg - 1 + arrived)
    return Moment(tip, stops[leg + 1].is_open, stops[leg + 1].held, leg)


def front_pixels(scene: TabletopScene, points: np.ndarray) -> np.ndarray:
    """Project points [N,3] into the front image: [N,2], right and down, in units of the image's side."""
    return project(points, CAMERAS["front"].intrinsics(1), extrinsics(scene.data, "front"))


def pixel_facts(scene: TabletopScene) -> dict:
    """Locate the tip and the task's K objects in the front image, in units of its side (right and down).

    The facts are `gripper_pixel` [2] and `object_pixels` [K,2] (projected positions), `finger_pixels` (the visible
    fingers' share of the image) and `boxes` [K,4] (left, top, right and bottom of each object's visible pixels, NaN
    where none is visible).
    """
    positions, model = scene.positions(), scene.model
    pixels = front_pixels(scene, np.vstack([scene.tip_pose()[:3], positions]))
    body = np.append(0, model.geom_bodyid)[scene.mask("front")]  # of each pixel; 0 is the world
    numbers = [_body_number(scene, *named) for named in zip(scene.task.objects, positions, strict=True)]
    return {
        "gripper_pixel": pixels[0],
        "object_pixels": pixels[1:],
        "finger_pixels": float(np.isin(body, [model.body(name).id for name in FINGERS]).mean()),
        "boxes": np.array([_box((body == number) | (model.body_rootid[body] == number)) for number in numbers]),
    }


def _body_number(scene: TabletopScene, name: str, position: np.ndarray) -> int:
    """Find an object's body: the one of its name, or else the one nearest to its position [3]."""
    name = BODIES.get(name, name)
    if name in {scene.model.body(number).name for number in range(scene.model.nbody)}:
        return scene.model.body(name).id
    return int(np.argmin(np.linalg.norm(scene.data.xpos - position, axis=1)))


def _box(visible: np.ndarray) -> np.ndarray:
    """Return left, top, right and bottom [4] of the true pixels of [S,S], in units of S; NaN if there are none."""
    if not visible.any():
        return np.full(4, np.nan)
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / len(visible)
