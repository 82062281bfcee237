"""RLBench's five cameras: their poses and angles, their recorded matrices, and rendering.

Poses and angles come from recordings (`misc` of the test episodes of stepjam/RLBench). A camera frame has z forward,
x left and y up, and focal lengths are negative, as in PyRep. MuJoCo's cameras look along -z with x to the right: the
same frame after half a turn about y.
"""

import math
from dataclasses import dataclass

import numpy as np

from robotr1.demos.poses import quaternion
from robotr1.demos.tabletop.engine import mujoco
from robotr1.linear import matmul

TO_MUJOCO = np.array([-1.0, 1.0, -1.0])  # signs of a camera's axes
SUPERSAMPLING = 2  # images are rendered twice as large and averaged down


@dataclass(frozen=True, eq=False)
class CameraMount:
    """A camera's position [3] in metres, rotation [3,3] (camera to parent) and field of view in degrees.

    The parent is the world, or the gripper's tip for the wrist camera.
    """

    position: tuple[float, float, float]
    rotation: np.ndarray
    field_of_view: float
    far: float
    near: float = 0.01
    on_tip: bool = False

    def intrinsics(self, size: int) -> np.ndarray:
        """Return the matrix [3,3] for square images of `size` pixels, focal lengths negative."""
        focal = -size / (2 * math.tan(math.radians(self.field_of_view) / 2))
        return np.array([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]])


def _tilted(yaw: float) -> np.ndarray:
    """Return the rotation that looks 65 degrees down along the world's x, turned by `yaw` degrees about z."""
    sin, cos = np.sin(np.radians(25)), np.cos(np.radians(25))
    s, c = np.sin(np.radians(yaw)), np.cos(np.radians(yaw))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return matmul(turn, [[0, cos, sin], [1, 0, 0], [0, sin, -cos]])


_SIN, _COS = np.sin(np.radians(25)), np.cos(np.radians(25))
_FRONT = np.array([[0, -_SIN, -_COS], [-1, 0, 0], [0, _COS, -_SIN]])
_WRIST = np.array([[0, -0.99619, 0.08716], [1, 0, 0], [0, 0.08716, 0.99619]])

CAMERAS = {
    "left_shoulder": CameraMount((-0.175, 0.2, 1.98), _tilted(-10), 40, 3.2),
    "right_shoulder": CameraMount((-0.175, -0.2, 1.98), _tilted(10), 40, 3.2),
    "overhead": CameraMount((-0.175, 0.0, 2.43), _tilted(0), 40, 3.3),
    "wrist": CameraMount((-0.05, 0.002, -0.0921), _WRIST, 60, 3.5, on_tip=True),
    "front": CameraMount((1.35, 0.0, 1.58), _FRONT, 40, 4.5),
}


def add_cameras(spec: mujoco.MjSpec) -> None:
    """Add the five cameras; the wrist camera is fixed to the hand."""
    for name, camera in CAMERAS.items():
        position, rotation, parent = np.array(camera.position), camera.rotation, spec.worldbody
        if camera.on_tip:
            tip, parent = spec.site("tip"), spec.body("hand")
            half_turn = np.array([-1.0, -1.0, 1.0])  # the tip's frame in the hand's
            position, rotation = tip.pos + half_turn * position, half_turn[:, None] * rotation
        x, y, z, w = quaternion(rotation * TO_MUJOCO)
        parent.add_camera(name=name, pos=position, quat=(w, x, y, z), fovy=camera.field_of_view)


def extrinsics(data: mujoco.MjData, camera: str) -> np.ndarray:
    """Return the matrix [4,4] from camera to world in RLBench's convention (z forward, x left, y up)."""
    matrix = np.eye(4)
    matrix[:3, :3] = data.camera(camera).xmat.reshape(3, 3) * TO_MUJOCO + 0.0  # no -0.0
    matrix[:3, 3] = data.camera(camera).xpos
    return matrix


def misc(data: mujoco.MjData, size: int) -> dict:
    """Return the entries of RLBench's `Observation.misc` for each camera: extrinsics, intrinsics, near and far."""
    values = {}
    for name, camera in CAMERAS.items():
        values[f"{name}_camera_extrinsics"] = extrinsics(data, name)
        values[f"{name}_camera_intrinsics"] = camera.intrinsics(size)
        values[f"{name}_camera_near"] = camera.near
        values[f"{name}_camera_far"] = camera.far
    return values


class SceneRenderer:
    """Renders square images of one model; keeps its GL contexts until `close`."""

    def __init__(self, model: mujoco.MjModel, size: int):
        self.size = size
        self.renderer = mujoco.Renderer(model, size * SUPERSAMPLING, size * SUPERSAMPLING)
        self._exact: mujoco.Renderer | None = None  # one sample per pixel: depths and ids have no average
        self.option = mujoco.MjvOption()
        self.option.sitegroup[:] = 0
        self.option.geomgroup[:] = (1, 1, 1, 0, 0, 0)

    def render(self, data: mujoco.MjData, camera: str) -> np.ndarray:
        """uint8 [size, size, 3]."""
        self.renderer.update_scene(data, camera, self.option)
        fine = self.renderer.render().astype(np.uint16)
        n = SUPERSAMPLING
        total = sum(fine[i::n, j::n] for i in range(n) for j in range(n))
        return ((total + n * n // 2) // (n * n)).astype(np.uint8)

    def depth(self, data: mujoco.MjData, camera: str) -> np.ndarray:
        """Metres along the optical axis, float32 [size, size]."""
        renderer = self._exact_renderer(data, camera)
        renderer.enable_depth_rendering()
        depth = renderer.render()
        renderer.disable_depth_rendering()
        return depth

    def mask(self, data: mujoco.MjData, camera: str) -> np.ndarray:
        """The visible shape at each pixel, int64 [size, size]: the geom's number plus 1, or 0 for none."""
        renderer = self._exact_renderer(data, camera)
        renderer.enable_segmentation_rendering()
        shapes, kinds = np.moveaxis(renderer.render().astype(np.int64), -1, 0)
        renderer.disable_segmentation_rendering()
        return np.where(kinds == int(mujoco.mjtObj.mjOBJ_GEOM), shapes + 1, 0)

    def close(self) -> None:
        """Free the GL contexts; the object cannot render afterwards."""
        for renderer in (self.renderer, self._exact):
            if renderer is not None:
                renderer.close()

    def _exact_renderer(self, data: mujoco.MjData, camera: str) -> mujoco.Renderer:
        if self._exact is None:
            self._exact = mujoco.Renderer(self.renderer.model, self.size, self.size)
        self._exact.update_scene(data, camera, self.option)
        return self._exact


def render(model: mujoco.MjModel, data: mujoco.MjData, camera: str, size: int) -> np.ndarray:
    """Render one image uint8 [size, size, 3] (for many, keep a :class:`SceneRenderer`)."""
    renderer = SceneRenderer(model, size)
    try:
        return renderer.render(data, camera)
    finally:
        renderer.close()
