"""Do the work on an image once, however often it is asked about.

A GRPO group asks about one image five times, and three question types share a frame. Preparing the pixels and running
the vision tower are then repeated for the same picture; these two context managers keep the results by image content.
Outputs are the same numbers in the same places, so nothing downstream can tell.
"""

import copy
import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from transformers import BatchFeature, ProcessorMixin
from transformers.image_utils import make_flat_list_of_images
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

from robotr1 import paths


@lru_cache(maxsize=256)
def load_image(path: str) -> Image.Image:
    """Read an image (path relative to the project root) as RGB. Raises ValueError, naming the file, where it cannot."""
    file = paths.ROOT / path
    try:
        with Image.open(file) as image:
            return image.convert("RGB")
    except FileNotFoundError:
        raise ValueError(f"{file}: the image is missing; run the stage extract_demos again.") from None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{file}: not a readable image ({error}); run the stage extract_demos again.") from error


def blank_image(path: str) -> Image.Image:
    """A grey image of the same size: what a policy sees when it is asked blind."""
    return Image.new("RGB", load_image(path).size, (127, 127, 127))


class _Recent(OrderedDict):
    """The most recently used entries, up to a number of bytes."""

    def __init__(self, capacity: int):
        super().__init__()
        self.capacity, self.size = capacity, 0

    def put(self, key: bytes, value: Any, size: int) -> None:
        self[key] = (value, size)
        self.size += size
        while self.size > self.capacity and len(self) > 1:
            self.size -= self.popitem(last=False)[1][1]

    def take(self, keys: list[bytes]) -> dict[bytes, Any]:
        """Those of `keys` that are held, before anything that is put next can push them out."""
        found = {key: self[key][0] for key in keys if key in self}
        for key in found:
            self.move_to_end(key)
        return found


class _ImageProcessorOnce:
    """Stands in for Qwen's image processor and prepares each distinct image once."""

    def __init__(self, inner: Any, capacity: int):
        self.inner, self.recent = inner, _Recent(capacity)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def __deepcopy__(self, memo: dict) -> Any:
        return copy.deepcopy(self.inner, memo)

    def __call__(self, images: Any, return_tensors: str | None = None, **options: Any) -> BatchFeature:
        flat = make_flat_list_of_images(images)
        salt = repr(sorted(options.items())).encode()
        keys = [_digest(np.asarray(image), salt) for image in flat]
        parts = self.recent.take(keys)
        for key, image in dict(zip(keys, flat, strict=True)).items():
            if key not in parts:
                parts[key] = self.inner(images=[image], return_tensors="np", **options)
                self.recent.put(key, parts[key], parts[key]["pixel_values"].nbytes)
        names = ("pixel_values", "image_grid_thw")
        data = {name: np.concatenate([parts[key][name] for key in keys]) for name in names}
        return BatchFeature(data, tensor_type=return_tensors)


@contextmanager
def prepare_images_once(processor: ProcessorMixin, capacity: int = 256 << 20) -> Iterator[None]:
    """Within the context, `processor` prepares each distinct image once (up to `capacity` bytes are kept)."""
    inner = processor.image_processor
    if getattr(inner, "merge_size", None) is None:  # not Qwen's: its outputs are unknown here
        yield
        return
    processor.image_processor = _ImageProcessorOnce(inner, capacity)
    try:
        yield
    finally:
        processor.image_processor = inner


@contextmanager
def encode_images_once(model: torch.nn.Module, capacity: int = 512 << 20) -> Iterator[None]:
    """Within the context, the vision tower encodes each distinct image once. Only for a tower that stays frozen.

    Up to `capacity` bytes of image features are kept between calls.
    """
    core = next((module for module in model.modules() if isinstance(module, Qwen2_5_VLModel)), None)
    if core is None:
        yield
        return
    encode, recent = core.get_image_features, _Recent(capacity)

    def encode_once(pixel_values: torch.Tensor, image_grid_thw: torch.Tensor, **options: Any):
        chunks = pixel_values.split(image_grid_thw.prod(-1).tolist())
        grids = [repr(grid).encode() for grid in image_grid_thw.tolist()]
        keys = [_digest(chunk.float().cpu().numpy(), grid) for chunk, grid in zip(chunks, grids, strict=True)]
        features = recent.take(keys)
        missing = {key: i for i, key in enumerate(keys) if key not in features}
        if missing:
            rows = list(missing.values())
            with torch.no_grad():
                found = encode(torch.cat([chunks[i] for i in rows]), image_grid_thw[rows], **options).pooler_output
            for key, tokens in zip(missing, found, strict=True):
                features[key] = tokens
                recent.put(key, tokens, tokens.nbytes)
        return BaseModelOutputWithPooling(pooler_output=tuple(features[key] for key in keys))

    core.get_image_features = encode_once
    try:
        yield
    finally:
        del core.get_image_features


def _digest(array: np.ndarray, salt: bytes) -> bytes:
    content = hashlib.sha1(repr(array.shape).encode() + salt, usedforsecurity=False)
    content.update(np.ascontiguousarray(array))
    return content.digest()


def exchange(images: list[str], seed: int) -> dict[str, str]:
    """Give every distinct image another one's place: a permutation without fixed points (identity for one image)."""
    distinct = np.array(sorted(set(map(str, images))), dtype=object)
    order = np.random.default_rng(seed).permutation(len(distinct))
    return dict(zip(distinct[order], distinct[np.roll(order, 1)], strict=True))
