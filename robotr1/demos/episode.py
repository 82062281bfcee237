"""Read a demonstration, an RLBench episode folder, as arrays.

Layout (stepjam/RLBench 1.1 and 1.2): `<task>/variation<V>/variation_descriptions.pkl` and
`<task>/variation<V>/episodes/episode<N>/` with `low_dim_obs.pkl` and `front_rgb/<frame>.png`. PerAct's variant,
`<task>/all_variations/episodes/episode<N>/`, keeps the descriptions and the variation's number inside the episode.
"""

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from robotr1.demos.images import decode_depth, decode_mask, project, read_code, read_png
from robotr1.demos.layout import (
    DESCRIPTIONS,
    LOW_DIM,
    VARIATION_NUMBER,
    EpisodeError,
    episode_place,
    frame_files,
    list_episodes,
)
from robotr1.demos.series import NUMBER, read_optional_series, read_poses, read_series
from robotr1.demos.unpickle import load_pickle
from robotr1.demos.write import Camera, write_episode
from robotr1.special_tokens import refusal, special_token

__all__ = ["Camera", "Episode", "EpisodeError", "list_episodes", "read_episode", "write_episode"]


@dataclass(frozen=True)
class Episode:
    """T frames of one demonstration, 20 a second, in RLBench's world frame (metres, radians, float64)."""

    task: str
    variation: int
    episode: int
    folder: Path
    instructions: list[str]
    gripper_pose: np.ndarray  # [T,7] xyz of the tip + quaternion xyzw
    gripper_open: np.ndarray  # [T] 1.0 open, 0.0 closed
    joint_positions: np.ndarray  # [T,7]
    joint_velocities: np.ndarray  # [T,7]
    task_low_dim_state: np.ndarray | None  # [T,K], free-form per task
    frames: list[int]  # frames with a front image, sorted
    misc: list[dict] = field(repr=False)  # [T] camera matrices and more, as recorded
    num_reset_attempts: int | None = None  # placements tried for this demonstration; None where not recorded

    def __len__(self) -> int:
        return len(self.gripper_pose)

    def image(self, frame: int, camera: str = "front") -> np.ndarray:
        """RGB uint8 [H,W,3]. Raises EpisodeError when the file is missing or damaged."""
        return read_png(self._image_file(f"{camera}_rgb", frame))

    def depth(self, frame: int, camera: str = "front") -> np.ndarray:
        """Depth along the optical axis in metres, float64 [H,W]."""
        near, far = (self._recorded(camera, frame, name) for name in ("near", "far"))
        if not isinstance(near, NUMBER) or not isinstance(far, NUMBER):
            raise EpisodeError(f"{self.folder / LOW_DIM}: frame {frame}: {camera}_camera_near and _far must be numbers")
        return decode_depth(read_code(self._image_file(f"{camera}_depth", frame)), near, far)

    def mask(self, frame: int, camera: str = "front") -> np.ndarray:
        """Object ids, int64 [H,W]."""
        return decode_mask(read_code(self._image_file(f"{camera}_mask", frame)))

    def camera(self, name: str = "front", frame: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Intrinsics [3,3] (focal lengths negative, as PyRep has them) and extrinsics [4,4], camera to world.

        Raises EpisodeError if the recording holds no camera matrices (those of 2019 and 2020 do not).
        """
        matrices = []
        for field_name, shape in (("intrinsics", (3, 3)), ("extrinsics", (4, 4))):
            matrix = self._recorded(name, frame, field_name)
            matrix = np.asarray(matrix if isinstance(matrix, np.ndarray) else np.nan, dtype=np.float64)
            if matrix.shape != shape or not np.isfinite(matrix).all():
                raise EpisodeError(
                    f"{self.folder / LOW_DIM}: frame {frame}: {name}_camera_{field_name} must be finite "
                    f"numbers of shape {shape}, found shape {matrix.shape}. Fix: record the episode again."
                )
            matrices.append(matrix)
        return matrices[0], matrices[1]

    def project(self, points: np.ndarray, camera: str = "front", frame: int = 0) -> np.ndarray:
        """Pixels [N,2] (u right, v down) of world points [N,3]."""
        return project(points, *self.camera(camera, frame))

    def _image_file(self, images: str, frame: int) -> Path:
        path = self.folder / images / f"{frame}.png"
        return path if path.exists() else frame_files(self.folder / images).get(frame, path)

    def _recorded(self, camera: str, frame: int, name: str):
        if not 0 <= frame < len(self):
            raise EpisodeError(f"{self.folder}: frame {frame} does not exist; frames run from 0 to {len(self) - 1}")
        try:
            return self.misc[frame][f"{camera}_camera_{name}"]
        except KeyError:
            raise EpisodeError(
                f"{self.folder / LOW_DIM}: frame {frame} records no {camera} camera {name}. Fix: record "
                "with RLBench 1.1 or later, which writes them, or name a recorded camera."
            ) from None


def read_episode(folder: str | Path) -> Episode:
    """Read an RLBench episode folder (1.1, 1.2, PerAct's layout, and the recordings of 2019 and 2020).

    A missing or wrong `variation_descriptions.pkl` (RLBench's own test data has a wrong one) gives a warning, and the
    task's name becomes the instruction. Raises EpisodeError, naming the file and the fix, for missing or damaged
    files, pickles that hold anything but RLBench's data, non-finite numbers, quaternions that are no rotation, and
    lengths that differ.
    """
    folder = Path(folder).absolute()
    path = folder / LOW_DIM
    task, variation, number = episode_place(folder)
    demo = load_pickle(path)
    observations = demo if isinstance(demo, list) else getattr(demo, "_observations", None)
    if not isinstance(observations, list) or not observations:
        raise EpisodeError(f"{path}: holds no list of observations. Fix: record the episode again.")
    misc = [_misc(observation) for observation in observations]
    if variation is None:
        variation = _variation_number(folder, demo, misc)
    return Episode(
        task=task,
        variation=variation,
        episode=number,
        folder=folder,
        instructions=_instructions(folder, task),
        gripper_pose=read_poses(observations, path),
        gripper_open=read_series(observations, "gripper_open", (), path),
        joint_positions=read_series(observations, "joint_positions", (7,), path),
        joint_velocities=read_series(observations, "joint_velocities", (7,), path),
        task_low_dim_state=read_optional_series(observations, "task_low_dim_state", path),
        frames=_frames(folder / "front_rgb", len(observations)),
        misc=misc,
        num_reset_attempts=_whole_number(getattr(demo, "num_reset_attempts", None)),
    )


def _misc(observation) -> dict:
    misc = getattr(observation, "misc", None)
    return misc if isinstance(misc, dict) else {}


def _frames(images: Path, length: int) -> list[int]:
    files = frame_files(images)
    frames = sorted(files)
    if frames and frames[-1] >= length:
        raise EpisodeError(
            f"{images}: has an image {files[frames[-1]].name}, but low_dim_obs.pkl holds {length} frames. Fix: images "
            "and pickle belong to different recordings; copy or record the episode again."
        )
    return frames


def _instructions(folder: Path, task: str) -> list[str]:
    fallback = [task.replace("_", " ")]
    places = [folder / DESCRIPTIONS, folder.parents[1] / DESCRIPTIONS]  # PerAct's place, RLBench's place
    path = next((place for place in places if place.exists()), None)
    if path is None:
        warnings.warn(f"{places[1]}: not found; using {fallback[0]!r} as the instruction", stacklevel=3)
        return fallback
    found = load_pickle(path)
    for text in found if isinstance(found, list | tuple) else ():
        if isinstance(text, str) and (token := special_token(text)):
            raise EpisodeError(f"{path}: the instruction {text[:200]!r} {refusal(token)}.")
    if isinstance(found, list | tuple) and found and all(isinstance(text, str) and text.strip() for text in found):
        return list(found)
    warnings.warn(
        f"{path}: holds {type(found).__name__}, not a list of sentences; using {fallback[0]!r} as the instruction",
        stacklevel=3,
    )
    return fallback


def _variation_number(folder: Path, demo, misc: list[dict]) -> int:
    path = folder / VARIATION_NUMBER
    number = load_pickle(path) if path.exists() else getattr(demo, "variation_number", None)
    if number is None:
        number = misc[0].get("variation_index")
    if _whole_number(number) is None:
        raise EpisodeError(
            f"{path}: no whole number says which variation this is. Fix: record again, or move the episode to "
            "<task>/variation<V>/episodes/episode<N>."
        )
    return int(number)


def _whole_number(value) -> int | None:
    return int(value) if isinstance(value, int | np.integer) else None
