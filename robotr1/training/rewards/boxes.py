"""Rewards of affordance questions (ManipLVM-R1, arXiv 2505.16517): the format, and the IoU with the true box."""

from collections.abc import Sequence
from typing import Any

from robotr1.questions.forms.affordance import box_iou, is_box_formatted, parse_box
from robotr1.training.rewards.completion import Completion, text


def box_format_reward(completions: Sequence[Completion], **columns: Any) -> list[float]:
    """1 for the form `<think> … </think> <answer> [x1, y1, x2, y2] </answer>` and nothing else, 0 otherwise."""
    return [float(is_box_formatted(text(completion))) for completion in completions]


def box_reward(completions: Sequence[Completion], answer: Sequence[Sequence[float]], **columns: Any) -> list[float]:
    """Intersection over union with the true box in the column `answer` (x1, y1, x2, y2), in pixels.

    The accuracy term of ManipLVM-R1's Affordance Perception Reward, R_format + IoU. 0 without a box.
    """
    boxes = [parse_box(text(completion)) for completion in completions]
    return [0.0 if box is None else box_iou(box, truth) for box, truth in zip(boxes, answer, strict=True)]
