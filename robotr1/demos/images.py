"""Read and write an episode's images: PNG files, RLBench's depth and mask encodings, the pinhole camera.

PyRep's camera frame has z forward, x to the LEFT and y UP, and its intrinsics carry negative focal lengths;
the two conventions cancel: u = K00 x/z + cx grows to the right and v = K11 y/z + cy grows downward.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from robotr1.demos.content import other_content
from robotr1.demos.layout import EpisodeError
from robotr1.linear import matmul

DEPTH_SCALE = 2**24 - 1  # RLBench stores a depth in the 24 bits of one RGB pixel
LARGEST = 4096  # pixels per side; a small file can claim a size that fills the memory
EIGHT_BIT_RGB = (8, 2)  # bits and colour type in a PNG file's header
SIXTEEN_BIT = 257  # 16-bit levels per 8-bit level: 65535 / 255
MEAN_TOLERANCE = 1.0  # grey levels between two renderers
CLEAR_DIFFERENCE, SHARE_TOLERANCE = 8, 0.001  # grey levels; share of pixels that may differ by more


class UnusableImage(ValueError):
    """A PNG file that is intact but does not define the colours of one frame."""


def read_png(path: str | Path) -> np.ndarray:
    """Read an image as RGB uint8 [H,W,3]; 16-bit grey levels are scaled to 8 bits.

    Raises EpisodeError for a missing or damaged file, transparent pixels and several frames.
    """
    return _read(Path(path), to_rgb)


def read_code(path: str | Path) -> np.ndarray:
    """Read a depth or mask image, whose three bytes per pixel encode one number, as uint8 [H,W,3].

    Raises EpisodeError as `read_png` does, and for any format but 8-bit RGB, which would give other numbers.
    """
    return _read(Path(path), _exact_rgb)


def _read(path: Path, convert: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise EpisodeError(
            f"{path}: no such image. Fix: name a frame in Episode.frames, or record the episode again."
        ) from None
    except OSError as error:
        raise EpisodeError(f"{path}: {error.strerror}. Fix: make it a file that you may read.") from None
    try:
        # Read from memory: a chunk that claims a gigabyte then ends with the file and reserves nothing.
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if max(image.size) > LARGEST:
                raise ValueError(f"{image.size[0]} x {image.size[1]} pixels")
            if getattr(image, "n_frames", 1) > 1:
                raise UnusableImage(f"holds an animation of {image.n_frames} frames. Fix: record one PNG per frame.")
            return convert(image)
    except UnusableImage as error:
        raise EpisodeError(f"{path}: {error}") from None
    except Exception as error:  # Pillow raises many types for truncated, too large or not a PNG
        found = other_content(data)
        if found and not data.startswith(b"\x89PNG"):
            raise EpisodeError(f"{path}: not a readable PNG: it is {found}") from None
        raise EpisodeError(
            f"{path}: not a readable PNG ({error}). Fix: the file is damaged or cut short; copy or record the "
            "episode again."
        ) from error


def to_rgb(image: Image.Image) -> np.ndarray:
    """Convert an opened image to RGB uint8 [H,W,3]; 16-bit grey levels are scaled to 8 bits.

    Raises UnusableImage for transparent pixels and for pixel formats that no camera writes.
    """
    if image.mode.startswith("I") and "transparency" in image.info:
        raise UnusableImage("has a transparent grey level. Fix: record opaque images.")
    if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        raise UnusableImage("has transparent pixels, whose colour is not defined. Fix: record opaque images.")
    if image.mode.startswith("I"):  # 16-bit grey levels, which Pillow would clip to white
        levels = (np.asarray(image).astype(np.int64) + SIXTEEN_BIT // 2) // SIXTEEN_BIT
        return np.repeat(levels.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        raise UnusableImage(f"has the pixel format {image.mode}. Fix: record 8-bit RGB images.")
    return np.array(image.convert("RGB"))


def is_rgb(path: Path) -> bool:
    """Return whether a PNG file holds 8-bit RGB, as RLBench writes it."""
    with open(path, "rb") as file:
        return tuple(file.read(26)[24:]) == EIGHT_BIT_RGB


def _exact_rgb(image: Image.Image) -> np.ndarray:
    depth, color = image.fp.getvalue()[24:26]
    if (depth, color) != EIGHT_BIT_RGB:
        raise UnusableImage(
            f"must be 8-bit RGB, as RLBench encodes depths and masks, found {depth} bits and PNG colour type {color}. "
            "Fix: record depths and masks with RLBench's own writer."
        )
    return np.array(image.convert("RGB"))


def image_difference(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return the mean difference of two images uint8 [H,W,3] in grey levels, and the share of clearly different pixels.

    In these a channel differs by more than CLEAR_DIFFERENCE. Raises ValueError if the sizes differ.
    """
    if one.shape != other.shape:
        raise ValueError(f"images of different sizes: {one.shape} and {other.shape}")
    difference = np.abs(one.astype(np.int64) - other)
    return float(difference.mean()), float((difference.max(axis=2) > CLEAR_DIFFERENCE).mean())


def same_image(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two images show the same scene up to the renderer (MEAN_TOLERANCE and SHARE_TOLERANCE).

    The same renderer gives the same bytes: Mesa's llvmpipe drew equal images with vectors of 128 and 256 bits. Another
    renderer rounds differently: against Mesa's softpipe, 64 frames of four tasks differed by 0.3 grey levels in the
    mean or less, and 0.01 % of the pixels by more than 8. Images of another frame or size are not the same.
    """
    if one.shape != other.shape:
        return False
    mean, share = image_difference(one, other)
    return mean <= MEAN_TOLERANCE and share <= SHARE_TOLERANCE


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Write uint8 [H,W,3] as PNG without metadata; compression favours speed over size."""
    Image.fromarray(image).save(path, format="PNG", compress_level=1)


def encode_depth(metres: np.ndarray, near: float, far: float) -> np.ndarray:
    """Depth [H,W] in metres to RLBench's uint8 [H,W,3]; clipped to the camera's near and far planes."""
    fraction = np.clip((np.asarray(metres, dtype=np.float64) - near) / (far - near), 0.0, 1.0)
    value = np.floor(fraction * DEPTH_SCALE + 0.5).astype(np.int64)
    return np.stack([value >> 16, (value >> 8) & 255, value & 255], axis=-1).astype(np.uint8)


def decode_depth(image: np.ndarray, near: float, far: float) -> np.ndarray:
    """RLBench's depth image uint8 [H,W,3] to metres, float64 [H,W]."""
    high, middle, low = np.moveaxis(image.astype(np.int64), -1, 0)
    return near + (high * 65536 + middle * 256 + low) / DEPTH_SCALE * (far - near)


def encode_mask(ids: np.ndarray) -> np.ndarray:
    """Object ids [H,W] (0 .. 2**24-1) to RLBench's uint8 [H,W,3], low byte first."""
    ids = np.asarray(ids, dtype=np.int64)
    if ids.size and (ids.min() < 0 or ids.max() > DEPTH_SCALE):
        raise ValueError(f"mask ids must lie in 0 .. {DEPTH_SCALE}, got {ids.min()} .. {ids.max()}")
    return np.stack([ids & 255, (ids >> 8) & 255, ids >> 16], axis=-1).astype(np.uint8)


def decode_mask(image: np.ndarray) -> np.ndarray:
    """RLBench's mask image uint8 [H,W,3] to object ids, int64 [H,W]. Ids differ from scene to scene."""
    low, middle, high = np.moveaxis(image.astype(np.int64), -1, 0)
    return low + middle * 256 + high * 65536


def project(points: np.ndarray, intrinsics: np.ndarray, extrinsics: np.ndarray) -> np.ndarray:
    """Pixels [N,2] (u to the right, v down) of world points [N,3] in metres.

    `intrinsics` [3,3] and `extrinsics` [4,4] (camera to world) follow PyRep. A point behind the camera has no
    pixel: its row is NaN.
    """
    points = np.atleast_2d(np.asarray(points, dtype=np.float64))
    in_camera = matmul(points - extrinsics[:3, 3], extrinsics[:3, :3])  # [N,3]; the rows of R^T (p - t)
    depth = np.where(in_camera[:, 2] > 1e-9, in_camera[:, 2], np.nan)
    return matmul(in_camera, np.asarray(intrinsics).T)[:, :2] / depth[:, None]
