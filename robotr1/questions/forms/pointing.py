"""Parse and score points: `<think> … </think> <answer> [[x, y]] </answer>`, in pixels (Embodied-R1, arXiv 2508.13998).

x counts columns from the left and y rows from the top; the pixel (x, y) covers [x, x + 1) and [y, y + 1).
"""

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np

from robotr1.questions.answers import NUMBER, answer_body, sole_answer

Span = Sequence[int]  # [row, first column, column after the last]

_POINT = re.compile(rf"\s*\[\s*\[{NUMBER},{NUMBER}\]\s*\]\s*")


def parse_point(completion: str) -> tuple[float, float] | None:
    """The point (x, y) inside the one <answer>, or None. Takes time linear in the text and raises nothing."""
    match = _POINT.fullmatch(answer_body(completion) or "")
    return (float(match[1]), float(match[2])) if match else None


def is_point_formatted(completion: str) -> bool:
    """Whether the whole completion is one thought, not empty, and one answer with one point."""
    return bool(_POINT.fullmatch(sole_answer(completion) or ""))


def mask_spans(mask: np.ndarray) -> list[list[int]]:
    """The rows of a mask [H, W] as spans [row, first column, column after the last]: a compact data set column."""
    padded = np.pad(np.asarray(mask, dtype=bool), ((0, 0), (1, 1))).astype(np.int8)
    rows, edges = np.nonzero(np.diff(padded, axis=1))  # each span has two edges, in order
    return np.stack([rows[::2], edges[::2], edges[1::2]], axis=1).tolist()


def is_inside(point: Sequence[float], spans: Iterable[Span]) -> bool:
    """Whether `point` (x, y) is in a pixel of the mask given as `spans`."""
    x, y = math.floor(point[0]), math.floor(point[1])
    return any(row == y and first <= x < stop for row, first, stop in spans)


def is_near(point: Sequence[float], target: Sequence[float], radius: float) -> bool:
    """Whether `point` is at most `radius` pixels from `target`."""
    return math.dist(point, target) <= radius
