"""Metadata that relates pixels to coordinates (Robot-R1 §3.2 and its prompts, figures 4 to 6).

An image alone does not show where [0.25, 0, 0.752] is. Three facts do: a reference point with known coordinates, the
directions of the axes in the image, and an object of known size. The reference point and the sizes are the paper's.
The directions are computed from each demonstration's own camera, so another camera gives other words, not wrong ones.
"""

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from robotr1 import fields, paths
from robotr1.demos.episode import Episode
from robotr1.demos.images import project
from robotr1.fields import prompt_text

WORLD_ORIGIN = (0.25, 0.0, 0.752)  # metres; the paper's world origin
GRIPPER_SIZE = (0.06, 0.2, 0.09)  # metres along x, y, z, with the gripper pointing down
FINGER_LENGTH = 0.04
AXIS_NAMES = ("x", "y", "z")
PARTS = ("axes", "reference", "scale")
# Words for the camera's axes in PyRep's convention (left, up, forward).
CAMERA_WORDS = (("to the left", "to the right"), ("up", "down"), ("away from the camera", "toward the camera"))
LABEL_WORDS = (("toward the camera", "away from the camera"), ("to the right", "to the left"), ("up", "down"))
SAME_CAMERA = 1e-3  # metres (and about radians) within which two recorded cameras are the same


class MetadataError(ValueError):
    """The demonstrations give no metadata, or a metadata file cannot be used."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The facts that relate one task's front images to the world frame; lengths in metres."""

    task: str
    camera: str
    camera_recorded: bool  # False: RLBench's standard front camera was assumed
    image_size: list[int]  # width, height in pixels
    intrinsics: list[list[float]]  # [3][3]
    extrinsics: list[list[float]]  # [4][4], camera to world
    axes: list[list[str]] = prompt_text()  # per world axis: words for its positive and negative direction in the image
    alignment: list[float]  # per axis, 0..1: the cosine between the axis and its word's direction
    reference_point: list[float]
    reference_name: str = prompt_text()
    scale_object: str = prompt_text()
    scale_size: list[float]  # along x, y, z
    finger_length: float
    in_prompt: list[str]  # the PARTS that prompts contain; an experiment can leave some out


def design_metadata(episodes: Sequence[Episode], camera: str = "front", in_prompt: Sequence[str] = PARTS) -> Metadata:
    """Compute the metadata of one task from its episodes' camera; prompts contain the parts in `in_prompt`.

    For episodes without camera matrices (RLBench before 1.1), RLBench's standard front camera is assumed. Raises
    MetadataError if there is no episode or image, the tasks differ, or the camera differs between episodes.
    """
    if unknown := sorted(set(in_prompt) - set(PARTS)):
        raise MetadataError(f"in_prompt: unknown part {unknown[0]!r}; use any of {', '.join(PARTS)}")
    if not episodes:
        raise MetadataError("no episodes: extract demonstrations first (stage extract_demos)")
    first = episodes[0]
    height, width = _first_image(first, camera).shape[:2]
    recorded = _recorded_camera(first, camera)
    intrinsics, extrinsics = recorded if recorded else standard_front_camera(width)
    for episode in episodes[1:]:
        if episode.task != first.task:
            raise MetadataError(f"{episode.folder}: task {episode.task}, but {first.folder} is {first.task}")
        other = _recorded_camera(episode, camera)
        if bool(other) != bool(recorded) or (other and not _same_camera(other, (intrinsics, extrinsics))):
            raise MetadataError(
                f"{episode.folder}: its {camera} camera differs from that of {first.folder}. Fix: keep recordings "
                "of different cameras in different data sets."
            )
    words, alignment = axis_words(extrinsics)
    return Metadata(
        task=first.task,
        camera=camera,
        camera_recorded=bool(recorded),
        image_size=[width, height],
        intrinsics=_plain(intrinsics),
        extrinsics=_plain(extrinsics),
        axes=words,
        alignment=alignment,
        reference_point=list(WORLD_ORIGIN),
        reference_name="center of the table surface",
        scale_object="gripper",
        scale_size=list(GRIPPER_SIZE),
        finger_length=FINGER_LENGTH,
        in_prompt=[part for part in PARTS if part in in_prompt],
    )


def standard_front_camera(resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """Return intrinsics [3,3] and extrinsics [4,4] of RLBench's front camera: 40 degrees wide, 25 degrees down."""
    focal = resolution / (2 * math.tan(math.radians(20.0)))
    intrinsics = np.array([[-focal, 0, resolution / 2], [0, -focal, resolution / 2], [0, 0, 1]])
    sine, cosine = np.sin(np.radians(25.0)), np.cos(np.radians(25.0))
    extrinsics = np.array([[0, -sine, -cosine, 1.35], [-1, 0, 0, 0], [0, cosine, -sine, 1.58], [0, 0, 0, 1]])
    return intrinsics, extrinsics


def axis_words(extrinsics: np.ndarray) -> tuple[list[list[str]], list[float]]:
    """Return [positive word, negative word] in the image for world x, y and z, and each axis's alignment (0..1).

    A world axis gets the words of the closest camera axis; `extrinsics` [4,4] is camera to world.
    """
    in_camera = np.asarray(extrinsics)[:3, :3]  # row i: world axis i in the camera frame (left, up, forward)
    words, alignment = [], []
    for direction in in_camera:
        closest = int(np.argmax(np.abs(direction)))
        positive, negative = CAMERA_WORDS[closest]
        words.append([positive, negative] if direction[closest] > 0 else [negative, positive])
        alignment.append(round(float(abs(direction[closest])), 6))
    return words, alignment


def agrees_with_labels(metadata: Metadata) -> bool:
    """Return whether the axes match the movement labels: +x toward the camera, +y right, +z up."""
    return metadata.axes == [list(words) for words in LABEL_WORDS]


def describe_axes(metadata: Metadata) -> list[str]:
    """Describe each axis: "The x axis is positive toward the camera and negative away from the camera."."""
    return [
        f"The {name} axis is positive {positive} and negative {negative}."
        for name, (positive, negative) in zip(AXIS_NAMES, metadata.axes)
    ]


def describe_reference(metadata: Metadata) -> str:
    """Describe the reference point in one sentence."""
    point = ", ".join(f"{value:g}" for value in metadata.reference_point)
    return f"The point [{point}] is the {metadata.reference_name}."


def describe_scale(metadata: Metadata) -> str:
    """Describe the scale object in one sentence."""
    x, y, z = metadata.scale_size
    return (
        f"The {metadata.scale_object} measures {x:g} m along x, {y:g} m along y and {z:g} m along z; its fingers are "
        f"{metadata.finger_length:g} m long."
    )


def describe_briefly(metadata: Metadata) -> list[str]:
    """Describe the parts in `in_prompt` in one short line each, for compact prompts."""
    axes = ", ".join(f"{name} {positive}" for name, (positive, _) in zip(AXIS_NAMES, metadata.axes))
    lines = {
        "axes": f"Axes: {axes}.",
        "reference": describe_reference(metadata),
        "scale": f"The {metadata.scale_object} is {metadata.scale_size[1]:g} m wide.",
    }
    return [lines[part] for part in PARTS if part in metadata.in_prompt]


def to_pixels(metadata: Metadata, points: np.ndarray) -> np.ndarray:
    """Project world points [N,3] to pixels [N,2] (u right, v down)."""
    return project(points, np.array(metadata.intrinsics), np.array(metadata.extrinsics))


def axis_arrows(metadata: Metadata, length: float = 0.2) -> dict[str, np.ndarray]:
    """Return, per axis, the pixels [2,2] (tail, head) of an arrow of `length` metres from the reference point."""
    origin = np.array(metadata.reference_point)
    return {
        name: to_pixels(metadata, np.stack([origin, origin + length * direction]))
        for name, direction in zip(AXIS_NAMES, np.eye(3))
    }


def scale_box(metadata: Metadata, tip: Sequence[float]) -> np.ndarray:
    """Return the 12 edges [12,2,2] in pixels of the scale object as an upright box over the gripper's `tip` (xyz).

    The box is the hand; the fingers reach from its bottom to the tip. It fits while the gripper points down without
    rotation, as at the start of every RLBench episode.
    """
    size = np.array(metadata.scale_size)
    low = np.array(tip, dtype=np.float64) - [size[0] / 2, size[1] / 2, -metadata.finger_length]
    corners = low + size * np.array(list(np.ndindex(2, 2, 2)))  # [8,3]
    edges = [(a, b) for a in range(8) for b in range(a) if (a ^ b).bit_count() == 1]
    return to_pixels(metadata, corners)[np.array(edges)]


def write_metadata(path: str | Path, metadata: Metadata) -> None:
    """Write one task's metadata as JSON."""
    paths.write_json(path, dataclasses.asdict(metadata))


def read_metadata(path: str | Path) -> Metadata:
    """Read a file of `write_metadata`. Raises MetadataError that names file and field."""
    path = Path(path)
    fix = "run the stage design_metadata again"
    try:
        return fields.build(Metadata, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise MetadataError(f"{path} is missing; {fix}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, fields.FieldError, AttributeError, TypeError) as error:
        raise MetadataError(f"{path}: {error}; {fix}") from None


def _first_image(episode: Episode, camera: str) -> np.ndarray:
    if not episode.frames:
        raise MetadataError(f"{episode.folder}: no {camera} images. Fix: record {camera}_rgb.")
    return episode.image(episode.frames[0], camera)


def _recorded_camera(episode: Episode, camera: str) -> tuple[np.ndarray, np.ndarray] | None:
    if f"{camera}_camera_extrinsics" not in episode.misc[0]:
        return None
    return episode.camera(camera, 0)


def _same_camera(one: tuple, other: tuple) -> bool:
    focal = np.allclose(one[0], other[0], rtol=1e-4)
    return bool(focal and np.allclose(one[1], other[1], atol=SAME_CAMERA))


def _plain(matrix: np.ndarray) -> list:
    return (np.round(matrix, 6) + 0.0).tolist()
