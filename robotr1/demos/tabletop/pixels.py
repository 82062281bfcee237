"""Where a scene's tip and objects are in its front image: projected, and as the mask shows them."""

import numpy as np

from robotr1.demos.tabletop.cameras import CAMERAS, extrinsics, project
from robotr1.demos.tabletop.scene import TabletopScene

FINGERS = ("leftfinger", "rightfinger")
BODIES = {"hole": "sorter"}  # objects whose body has another name


def front_pixels(scene: TabletopScene, points: np.ndarray) -> np.ndarray:
    """Project points [N,3] into the front image: [N,2], right and down, in units of the image's side."""
    return project(points, extrinsics(scene.data, "front"), CAMERAS["front"].intrinsics(1))


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
