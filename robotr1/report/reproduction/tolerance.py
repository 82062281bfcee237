"""Compare two versions of an output up to a tolerance: images by pixel, numbers by relative difference.

Renderers round differently on different processors, so images may differ by a few levels at edges. States, questions
and texts must be equal.
"""

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

MEAN_LEVELS = 1.0  # mean difference of two images, of 255
OUTLIER_LEVELS, OUTLIERS = 16, 0.01  # at most this share of the values may differ by more than so many levels
NUMBERS = 1e-6  # relative difference of two numbers
TOLERANCE = (
    f"images: mean difference at most {MEAN_LEVELS:g} of 255 levels, and at most {OUTLIERS:.0%} of the values more "
    f"than {OUTLIER_LEVELS} levels apart; numbers: relative difference at most {NUMBERS:g}; texts: equal"
)
THUMBNAIL = 8  # pixels, square
_PNG = "iVBORw0KGgo"  # the first characters of a PNG file in base64, as notebooks embed images


def similar(before: bytes, today: bytes, suffix: str) -> bool:
    """Whether two versions of a file are equal up to the tolerance; `suffix` tells its format (".png", ".json", …)."""
    if before == today:
        return True
    try:
        if suffix == ".png":
            return similar_images(_image(before), _image(today))
        if suffix in (".json", ".ipynb"):
            return _similar_values(json.loads(before), json.loads(today))
        if suffix == ".csv":
            tables = [pd.read_csv(io.BytesIO(text)) for text in (before, today)]
            return _similar_values(*(table.to_dict("split") for table in tables))
    except (ValueError, OSError):  # not what its suffix says
        return False
    return False


def similar_images(before: np.ndarray, today: np.ndarray) -> bool:
    """Whether two uint8 images have one shape and differ by no more than the tolerance."""
    if before.shape != today.shape:
        return False
    difference = np.abs(before.astype(int) - today.astype(int))
    return difference.mean() <= MEAN_LEVELS and (difference > OUTLIER_LEVELS).mean() <= OUTLIERS


def _similar_values(before: Any, today: Any) -> bool:
    if isinstance(before, dict) and isinstance(today, dict):
        return before.keys() == today.keys() and all(_similar_values(before[key], today[key]) for key in before)
    if isinstance(before, list) and isinstance(today, list):
        return len(before) == len(today) and all(map(_similar_values, before, today))
    if isinstance(before, float) and isinstance(today, (int, float)):
        both_missing = math.isnan(before) and math.isnan(today)
        return both_missing or math.isclose(before, today, rel_tol=NUMBERS, abs_tol=1e-12)
    if isinstance(before, str) and isinstance(today, str) and before.startswith(_PNG) and today.startswith(_PNG):
        return similar(base64.b64decode(before), base64.b64decode(today), ".png")
    return before == today


def _image(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def thumbnail(path: Path) -> str:
    """An image reduced to 8 x 8 mean colours, as hexadecimal digits."""
    with Image.open(path) as image:
        small = image.convert("RGB").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small).tobytes().hex()


def similar_thumbnails(before: str, today: str) -> bool:
    """Whether two thumbnails differ by no more than the tolerance for images."""
    pixels = [np.frombuffer(bytes.fromhex(text), np.uint8) for text in (before, today)]
    return similar_images(*pixels)
