"""Parse and score affordance boxes: `<think> … </think> <answer> [x1, y1, x2, y2] </answer>`, in pixels.

The form of ManipLVM-R1 (arXiv 2505.16517): a box around the part to grasp or press, x1 < x2 and y1 < y2.
"""

import re
from collections.abc import Sequence

from robotr1.questions.answers import NUMBER, answer_body, sole_answer

Box = tuple[float, float, float, float]

_BOX = re.compile(rf"\s*\[{','.join([NUMBER] * 4)}\]\s*")


def parse_box(completion: str) -> Box | None:
    """The box (x1, y1, x2, y2) inside the one <answer>, or None. Takes time linear in the text and raises nothing."""
    return _box(answer_body(completion))


def is_box_formatted(completion: str) -> bool:
    """Whether the whole completion is one thought, not empty, and one answer with one box."""
    return _box(sole_answer(completion)) is not None


def _box(body: str | None) -> Box | None:
    match = _BOX.fullmatch(body or "")
    if not match:
        return None
    x1, y1, x2, y2 = map(float, match.groups())
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def box_iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union in [0, 1] of two boxes (x1, y1, x2, y2) with positive areas."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    overlap = max(0.0, width) * max(0.0, height)
    areas = sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (one, other))
    return min(1.0, overlap / (areas - overlap))
