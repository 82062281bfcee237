"""Prepare and encode each distinct image once, however many questions share it.

A GRPO group asks five times about one image, and three question types share a frame. Two context managers cache the
prepared pixels and the vision tower's features by image content. The outputs equal the uncached ones.
"""

import copy
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache
from transformers import BatchFeature, ProcessorMixin
from transformers.image_utils import make_flat_list_of_images
from transformers.modeling_outputs import BaseModelOutputWithPooling

from robotr1.policies.load import language_core


@contextmanager
def prepare_images_once(processor: ProcessorMixin, capacity: int = 256 << 20) -> Iterator[None]:
    """Within the context, `processor` prepares each distinct image once. The cache holds up to `capacity` bytes."""
    inner = processor.image_processor
    if getattr(inner, "merge_size", None) is None:  # not Qwen's: its outputs are unknown here
        yield
        return
    processor.image_processor = _CachingImageProcessor(inner, capacity)
    try:
        yield
    finally:
        processor.image_processor = inner


@contextmanager
def encode_images_once(model: torch.nn.Module, capacity: int = 512 << 20) -> Iterator[None]:
    """Within the context, the vision tower encodes each distinct image once. Only for a frozen tower.

    The cache holds up to `capacity` bytes of image features.
    """
    core = language_core(model)
    if core is None:
        yield
        return
    encode, cache = core.get_image_features, LRUCache(capacity, getsizeof=lambda features: features.nbytes)

    def encode_once(pixel_values: torch.Tensor, image_grid_thw: torch.Tensor, **options: Any):
        chunks = pixel_values.split(image_grid_thw.prod(-1).tolist())
        grids = [repr(grid).encode() for grid in image_grid_thw.tolist()]
        keys = [_digest(chunk.float().cpu().numpy(), grid) for chunk, grid in zip(chunks, grids, strict=True)]
        features = _cached(cache, keys)
        missing = {key: i for i, key in enumerate(keys) if key not in features}
        if missing:
            rows = list(missing.values())
            with torch.no_grad():
                found = encode(torch.cat([chunks[i] for i in rows]), image_grid_thw[rows], **options).pooler_output
            for key, tokens in zip(missing, found, strict=True):
                features[key] = tokens
                _put(cache, key, tokens)
        return BaseModelOutputWithPooling(pooler_output=tuple(features[key] for key in keys))

    core.get_image_features = encode_once
    try:
        yield
    finally:
        del core.get_image_features


class _CachingImageProcessor:
    """Qwen's image processor with a cache of prepared images."""

    def __init__(self, inner: Any, capacity: int):
        self.inner = inner
        self.cache = LRUCache(capacity, getsizeof=lambda prepared: prepared["pixel_values"].nbytes)

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
        parts = _cached(self.cache, keys)
        for key, image in dict(zip(keys, flat, strict=True)).items():
            if key not in parts:
                parts[key] = self.inner(images=[image], return_tensors="np", **options)
                _put(self.cache, key, parts[key])
        names = ("pixel_values", "image_grid_thw")
        data = {name: np.concatenate([parts[key][name] for key in keys]) for name in names}
        return BatchFeature(data, tensor_type=return_tensors)


def _cached(cache: LRUCache, keys: list[bytes]) -> dict[bytes, Any]:
    """The cached values of a batch, taken before the batch's own new values can push them out."""
    return {key: cache[key] for key in keys if key in cache}


def _put(cache: LRUCache, key: bytes, value: Any) -> None:
    if cache.getsizeof(value) <= cache.maxsize:
        cache[key] = value


def _digest(array: np.ndarray, salt: bytes) -> bytes:
    content = hashlib.sha1(repr(array.shape).encode() + salt, usedforsecurity=False)
    content.update(np.ascontiguousarray(array))
    return content.digest()
