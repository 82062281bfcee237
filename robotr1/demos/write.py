"""Write a demonstration in RLBench's own layout, which RLBench and robotr1 both read."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from robotr1.demos.images import write_png
from robotr1.demos.layout import DESCRIPTIONS, EpisodeError, episode_place
from robotr1.demos.poses import pose_matrix
from robotr1.demos.unpickle import load_pickle
from robotr1.paths import atomic_folder, atomic_write

CAMERAS = ("left_shoulder", "right_shoulder", "overhead", "wrist", "front")
IMAGE_FIELDS = ("rgb", "depth", "mask", "point_cloud")
SHAPES = {  # of one frame; None: any size
    "joint_velocities": (7,),
    "joint_positions": (7,),
    "joint_forces": (7,),
    "gripper_open": (),
    "gripper_pose": (7,),
    "gripper_joint_positions": (2,),
    "gripper_touch_forces": (6,),
    "task_low_dim_state": (None,),
}


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in PyRep's convention (see robotr1.demos.images)."""

    intrinsics: np.ndarray  # [3,3], negative focal lengths
    extrinsics: np.ndarray  # camera to world: [4,4], or [T,4,4] for a camera that moves
    near: float = 0.01  # metres
    far: float = 4.5


class Demo:
    """Pickled under the name of rlbench.demo.Demo."""


class Observation:
    """Pickled under the name of rlbench.backend.observation.Observation."""


# In protocol 3 a global is plain text, so the names of RLBench (and of NumPy before 2.0) can replace ours.
RENAMED_GLOBALS = {
    f"c{__name__}\nDemo\n".encode(): b"crlbench.demo\nDemo\n",
    f"c{__name__}\nObservation\n".encode(): b"crlbench.backend.observation\nObservation\n",
    b"cnumpy._core.": b"cnumpy.core.",
}


def write_episode(
    folder: str | Path,
    *,
    instructions: Sequence[str],
    gripper_pose: np.ndarray,
    gripper_open: np.ndarray,
    joint_positions: np.ndarray,
    joint_velocities: np.ndarray,
    cameras: Mapping[str, Camera],
    images: Mapping[str, Mapping[int, np.ndarray]],
    joint_forces: np.ndarray | None = None,
    gripper_joint_positions: np.ndarray | None = None,
    gripper_touch_forces: np.ndarray | None = None,
    task_low_dim_state: np.ndarray | None = None,
    misc: Sequence[Mapping] | None = None,
    random_seed: tuple | None = None,
    num_reset_attempts: int | None = None,
) -> Path:
    """Write `<root>/<task>/variation<V>/episodes/episode<N>` and return it; an existing episode is replaced.

    Shapes over T frames: gripper_pose [T,7] (tip xyz in metres + quaternion xyzw), gripper_open [T] (1.0 or 0.0),
    joint_* [T,7] (rad, rad/s, N m), gripper_joint_positions [T,2], gripper_touch_forces [T,6], task_low_dim_state
    [T,K]. `images` maps a folder name such as "front_rgb" to {frame: uint8 [H,W,3]}; only these frames get a PNG.
    `misc` [T] holds RLBench's other entries of a frame, beside the `cameras`; `random_seed` is its NumPy state.
    `instructions` belong to the variation, so all its episodes must have the same ones. The same input gives the same
    bytes, and a partly written folder is never left. Raises EpisodeError if the arrays do not fit together.
    """
    folder = Path(folder).absolute()
    _, variation, _ = episode_place(folder)
    length = len(gripper_pose)
    recorded = {
        "joint_velocities": joint_velocities,
        "joint_positions": joint_positions,
        "gripper_open": gripper_open,
        "gripper_pose": gripper_pose,
    }
    optional = {
        "joint_forces": joint_forces,
        "gripper_joint_positions": gripper_joint_positions,
        "gripper_touch_forces": gripper_touch_forces,
        "task_low_dim_state": task_low_dim_state,
    }
    recorded |= {name: values for name, values in optional.items() if values is not None}
    series = {name: _checked(folder, name, values, (length, *SHAPES[name])) for name, values in recorded.items()}
    series |= {name: None for name in optional if name not in series}
    _check_images(folder, images, length)
    matrices = {name: _camera_fields(folder, name, cameras[name], length) for name in sorted(cameras)}
    demo = Demo()
    if misc is not None and len(misc) != length:
        raise EpisodeError(f"{folder}: misc must have {length} entries, got {len(misc)}")
    demo._observations = [_observation(frame, series, matrices, variation) for frame in range(length)]
    for observation, extra in zip(demo._observations, misc or []):
        observation.misc |= dict(extra)
    demo.random_seed = random_seed
    demo.num_reset_attempts = num_reset_attempts

    _write_descriptions(folder.parents[1] / DESCRIPTIONS, instructions)
    with atomic_folder(folder) as temporary:
        (temporary / "low_dim_obs.pkl").write_bytes(dump_pickle(demo))
        for name in sorted(images):
            (temporary / name).mkdir()
            for frame in sorted(images[name]):
                write_png(temporary / name / f"{frame}.png", images[name][frame])
    return folder


def dump_pickle(value) -> bytes:
    """Pickle with protocol 3, so that RLBench loads its own classes with any NumPy."""
    data = pickle.dumps(value, protocol=3)
    for ours, theirs in RENAMED_GLOBALS.items():
        data = data.replace(ours, theirs)
    return data


def _observation(frame: int, series: Mapping, matrices: Mapping, variation: int | None) -> Observation:
    observation = Observation()
    for camera in CAMERAS:
        for image_field in IMAGE_FIELDS:
            setattr(observation, f"{camera}_{image_field}", None)  # the pixels are in the PNG files
    for name, values in series.items():
        setattr(observation, name, None if values is None else values[frame].copy())
    observation.gripper_open = float(series["gripper_open"][frame])
    observation.gripper_matrix = pose_matrix(series["gripper_pose"][frame])
    observation.misc = {"variation_index": variation}
    for camera, fields in matrices.items():
        for name, value in fields.items():
            value = value[frame].copy() if isinstance(value, np.ndarray) else value
            observation.misc[f"{camera}_camera_{name}"] = value
    return observation


def _camera_fields(folder: Path, name: str, camera: Camera, length: int) -> dict:
    extrinsics = np.asarray(camera.extrinsics, dtype=np.float64)
    if extrinsics.ndim == 2:
        extrinsics = np.tile(extrinsics, (length, 1, 1))
    intrinsics = np.tile(np.asarray(camera.intrinsics, dtype=np.float64), (length, 1, 1))
    return {
        "extrinsics": _checked(folder, f"{name} camera's extrinsics", extrinsics, (length, 4, 4)),
        "intrinsics": _checked(folder, f"{name} camera's intrinsics", intrinsics, (length, 3, 3)),
        "near": float(camera.near),
        "far": float(camera.far),
    }


def _checked(folder: Path, name: str, values, shape: tuple[int | None, ...]) -> np.ndarray:
    values = np.array(values, dtype=np.float64)
    fits = values.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, values.shape))
    if not fits or not len(values):
        wanted = ["any" if size is None else size for size in shape]
        raise EpisodeError(f"{folder}: {name} must have shape {wanted}, got {list(values.shape)}")
    if not np.isfinite(values).all():
        raise EpisodeError(f"{folder}: {name} holds a number that is not finite")
    return values


def _check_images(folder: Path, images: Mapping, length: int) -> None:
    for name, by_frame in images.items():
        for frame, image in by_frame.items():
            if not 0 <= frame < length:
                raise EpisodeError(f"{folder}: {name} has an image for frame {frame}, but there are {length} frames")
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise EpisodeError(
                    f"{folder}: {name}, frame {frame}: an image must be uint8 [H,W,3], got {image.dtype} "
                    f"{list(image.shape)}"
                )


def _write_descriptions(path: Path, instructions: Sequence[str]) -> None:
    instructions = [str(text) for text in instructions]
    if not instructions or not all(text.strip() for text in instructions):
        raise EpisodeError(f"{path}: instructions must be one or more sentences, got {instructions}")
    if path.exists():
        if load_pickle(path) != instructions:
            raise EpisodeError(
                f"{path}: another episode of this variation has other instructions. Fix: give every episode of "
                "a variation the same list, or write it as another variation."
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_bytes(dump_pickle(instructions))
