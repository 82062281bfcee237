"""Rewards of pointing questions (Embodied-R1, arXiv 2508.13998): the format, and a point inside the true mask."""

from collections.abc import Sequence
from typing import Any

from robotr1.questions.forms.pointing import Span, is_inside, is_near, is_point_formatted, parse_point
from robotr1.training.rewards.completion import Completion, text


def point_format_reward(completions: Sequence[Completion], **columns: Any) -> list[float]:
    """1 for the form `<think> … </think> <answer> [[x, y]] </answer>` and nothing else, 0 otherwise."""
    return [float(is_point_formatted(text(completion))) for completion in completions]


def point_reward(
    completions: Sequence[Completion],
    spans: Sequence[Sequence[Span]],
    target: Sequence[Sequence[float]],
    radius: Sequence[float],
    **columns: Any,
) -> list[float]:
    """1 where the point is inside the true mask, 0 otherwise (Embodied-R1's point-in-mask reward).

    Columns: `spans`, the mask's rows as `pointing.mask_spans` gives them; where they are empty (no masks recorded), the
    point must be at most `radius` pixels from `target`, the projected position (x, y).
    """
    rewards = []
    for completion, mask, position, limit in zip(completions, spans, target, radius, strict=True):
        point = parse_point(text(completion))
        hit = point is not None and (is_inside(point, mask) if mask else is_near(point, position, limit))
        rewards.append(float(hit))
    return rewards
