"""Distractors of waypoint and state questions: positions that keep a minimum gap to the truth and to each other."""

from collections.abc import Sequence
from itertools import chain, cycle, islice
from math import dist

from robotr1.questions.distractors.scene import Point
from robotr1.questions.distractors.strategies import TRIES, DistractorError, Draw
from robotr1.questions.prompts import format_state
from robotr1.questions.states import is_extended

ATTEMPTS = 10  # fresh starts with other candidates
TOLERANCE = 1e-9  # metres; two printed positions 0.1 apart may differ by 0.0999…


def position_distractors(draw: Draw) -> list[str]:
    """Sample the distractors of a waypoint or state question. Raises DistractorError as `sample_positions` does.

    Where the strategy yields bare positions for extended states, rotation and gripper come from other answers.
    """
    points = sample_positions(draw)
    if is_extended(draw.position):
        hands = cycle(chain(draw.other_positions(), [draw.position]))
        points = [point if is_extended(point) else [*point, *next(hands)[3:]] for point in points]
    return [format_state(point, draw.settings.decimals) for point in points]


def sample_positions(draw: Draw) -> list[list[float]]:
    """Sample `options` - 1 positions that are `minimum_gap` metres (euclidean) from the truth and from each other.

    All positions are rounded to `decimals` first, so the gap holds for the printed texts and no two print alike.
    Extended states may take part: the gap is that of their positions.

    Raises:
        DistractorError: the gap cannot be met, or there are fewer candidates than options.
    """
    settings, count = draw.settings, draw.settings.options - 1
    gap = max(settings.minimum_gap, 10.0**-settings.decimals) - TOLERANCE
    best: list[list[float]] = []
    for _ in range(ATTEMPTS):
        options = [_rounded(draw.position, settings.decimals)]
        positions = [options[0][:3]]
        for candidate in islice(draw.strategy.positions(draw), TRIES):
            if len(options) > count:
                break
            point = _rounded(candidate, settings.decimals)
            if all(dist(point[:3], position) >= gap for position in positions):
                options.append(point)
                positions.append(point[:3])
        if len(options) > count:
            return options[1:]
        best = max(best, options, key=len)
    raise DistractorError(
        f"distractors: {settings.distractors} found only {len(best) - 1} of {count} positions that are "
        f"{settings.minimum_gap} m from {best[0]} and from each other; lower `minimum_gap` or `options`, or collect "
        "more demonstrations"
    )


def smallest_gap(options: Sequence[Point]) -> float:
    """Smallest euclidean distance in metres between any two positions; infinite for a single one."""
    return min((dist(a, b) for i, a in enumerate(options) for b in options[:i]), default=float("inf"))


def _rounded(point: Point, decimals: int) -> list[float]:
    """Round as text formatting does; numpy's rounding differs from it at ties such as 0.265."""
    return [round(float(value), decimals) for value in point]
