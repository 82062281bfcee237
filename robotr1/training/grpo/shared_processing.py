"""Tokenise and prepare each question once for the G rows that share it."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import BatchFeature


def distinct(keys: Sequence[str]) -> tuple[list[int], list[int]]:
    """The first row of each key, and for every row the index of its key."""
    order: dict[str, int] = {}
    which = [order.setdefault(key, len(order)) for key in keys]
    return [which.index(i) for i in range(len(order))], which


def repeat_rows(fields: dict[str, Any], rows: Sequence[int]) -> dict[str, Any]:
    """A processor's outputs for `rows` (one image each); a row may occur several times."""
    patches = torch.as_tensor(fields["image_grid_thw"]).prod(-1).tolist()
    pixels = torch.as_tensor(fields["pixel_values"]).split(patches)
    repeated = {
        name: [value[row] for row in rows] if isinstance(value, list) else value[rows]
        for name, value in fields.items()
        if name != "pixel_values"
    }
    return {**repeated, "pixel_values": torch.cat([pixels[row] for row in rows])}


class SharedProcessor:
    """Wraps a processor and processes rows with the same text and the same image object once."""

    def __init__(self, inner: Any):
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __call__(self, images: Sequence[Sequence[Any]], text: Sequence[str], **options: Any) -> BatchFeature:
        keys = [f"{id(row_images[0])} {row_text}" for row_images, row_text in zip(images, text, strict=True)]
        first, which = distinct(keys)
        out = self.inner(images=[images[row] for row in first], text=[text[row] for row in first], **options)
        return BatchFeature(repeat_rows(out, which))
