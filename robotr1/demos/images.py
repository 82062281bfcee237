"""Read and write an episode's images: PNG files, RLBench's depth and mask encodings, the pinhole camera.

PyRep's camera frame has z forward, x to the LEFT and y UP, and its intrinsics carry negative focal lengths;
the two conventions cancel: u = K00 x/z + cx grows to the right and v = K11 y/z + cy grows downward.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from robotr1.demos.layout import EpisodeError

DEPTH_SCALE = 2**24 - 1  # RLBench stores a depth in the 24 bits of one RGB pixel
LARGEST = 4096  # pixels per side; a small file can claim a size that fills the memory


def read_png(path: str | Path) -> np.ndarray:
    """RGB image uint8 [H,W,3]. Raises EpisodeError for a missing or truncated file."""
    path = Path(path)
    try:
        # Read from memory: a chunk that claims a gigabyte then ends with the file and reserves nothing.
        with Image.open(io.BytesIO(path.read_bytes()), formats=("PNG",)) as image:
            if max(image.size) > LARGEST:
                raise ValueError(f"{image.size[0]} x {image.size[1]} pixels")
            return np.array(image.convert("RGB"))
    except FileNotFoundError:
        raise EpisodeError(
            f"{path}: no such image. Fix: name a frame in Episode.frames, or record the episode again."
        ) from None
    except Exception as error:  # Pillow raises many types for truncated, too large or not a PNG
        raise EpisodeError(
            f"{path}: not a readable PNG ({error}). Fix: the file is damaged or cut short; copy or record the "
            "episode again."
        ) from error


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
    in_camera = (points - extrinsics[:3, 3]) @ extrinsics[:3, :3]  # [N,3]; the rows of R^T (p - t)
    depth = np.where(in_camera[:, 2] > 1e-9, in_camera[:, 2], np.nan)
    return (in_camera @ np.asarray(intrinsics).T)[:, :2] / depth[:, None]
