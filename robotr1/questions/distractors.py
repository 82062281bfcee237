"""Wrong positions for waypoint and state questions.

The Robot-R1 paper (section 3.2) samples distractors "from the robot's valid state space" and says no more. How they
are drawn decides what a policy can answer without looking at the image, so the law is a parameter:

uniform         anywhere in the workspace above the table
same_episode    positions that the gripper takes in the same episode
other_episodes  positions that are the answer to the same type of question in other episodes of the task
near_miss       close to the truth, all within one small ball
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

Strategy = Literal["uniform", "same_episode", "other_episodes", "near_miss"]

# Scene bounds of ARM and EmbodiedBench in metres, world frame; the floor is raised to RLBench's table top.
TABLE_TOP = 0.75
SCENE_LOW = np.array([-0.3, -0.5, TABLE_TOP])
SCENE_HIGH = np.array([0.7, 0.5, 1.6])

BALL_RADIUS = 1.5  # of the near_miss ball, in minimum gaps
TRIES = 2000
TOLERANCE = 1e-9  # metres; two printed positions 0.1 apart may differ by 0.0999…


class DistractorError(ValueError):
    """No set of distractors keeps the minimum gap; the message says which strategy and what to change."""


def draw_distractors(
    strategy: Strategy,
    truth: Sequence[float],
    count: int,
    minimum_gap: float,
    rng: np.random.Generator,
    pool: Sequence[Sequence[float]] = (),
    fallback: Sequence[Sequence[float]] = (),
    decimals: int = 6,
) -> list[list[float]]:
    """Draw `count` positions that keep `minimum_gap` metres (euclidean) from the truth and from each other.

    Args:
        truth: [3] metres, world frame.
        pool: [N, 3] candidates of same_episode and other_episodes; a position that occurs twice is twice as likely.
        fallback: [M, 3] used once no candidate of `pool` is far enough from the options so far.
        decimals: all positions are rounded to this many digits first, so the gap holds for the printed texts.

    Raises:
        DistractorError: the gap cannot be met.
        ValueError: the strategy is unknown.
    """
    truth = _rounded(truth, decimals)
    minimum_gap = max(minimum_gap, 10.0**-decimals)  # no two options may print alike
    if strategy in ("same_episode", "other_episodes"):
        options = _draw_from_pools(truth, count, minimum_gap, rng, (pool, fallback), decimals)
    elif strategy == "uniform":
        options = _draw_anywhere(truth, count, minimum_gap, rng, decimals)
    elif strategy == "near_miss":
        options = _draw_in_ball(truth, count, minimum_gap, rng, decimals)
    else:
        raise ValueError(f"unknown distractor strategy {strategy!r}; use one of {', '.join(get_args(Strategy))}")
    if len(options) < count + 1:
        raise DistractorError(
            f"distractors: {strategy} found only {len(options) - 1} of {count} positions that are {minimum_gap} m "
            f"from {truth.tolist()} and from each other; lower `minimum_gap` or `options`, "
            "or collect more demonstrations"
        )
    return [option.tolist() for option in options[1:]]


def smallest_gap(options: Sequence[Sequence[float]]) -> float:
    """Smallest euclidean distance in metres between any two of the [N, 3] positions."""
    points = np.asarray(options, dtype=float)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return float(distances[np.triu_indices(len(points), 1)].min(initial=np.inf))


def _rounded(point: Sequence[float], decimals: int) -> np.ndarray:
    """Round as text formatting does; numpy's rounding differs from it at ties such as 0.265."""
    return np.array([round(float(value), decimals) for value in point])


def _far_enough(point: np.ndarray, options: list[np.ndarray], minimum_gap: float) -> bool:
    return bool(np.linalg.norm(np.array(options) - point, axis=1).min() >= minimum_gap - TOLERANCE)


def _draw_from_pools(truth, count, minimum_gap, rng, pools, decimals) -> list[np.ndarray]:
    options = [truth]
    for pool in pools:
        for i in rng.permutation(len(pool)):
            if len(options) > count:
                return options
            point = _rounded(pool[i], decimals)
            if _far_enough(point, options, minimum_gap):
                options.append(point)
    return options


def _draw_anywhere(truth, count, minimum_gap, rng, decimals) -> list[np.ndarray]:
    options = [truth]
    for _ in range(TRIES):
        if len(options) > count:
            break
        point = _rounded(rng.uniform(SCENE_LOW, SCENE_HIGH), decimals)
        if _far_enough(point, options, minimum_gap):
            options.append(point)
    return options


def _draw_in_ball(truth, count, minimum_gap, rng, decimals) -> list[np.ndarray]:
    """The ball's centre is drawn around the truth, not put on it: the truth is not the middle of its options."""
    radius = BALL_RADIUS * minimum_gap * max(1.0, (count / 3) ** (1 / 3))
    best = [truth]
    for _ in range(TRIES // 20):
        options, centre = [truth], truth + _point_in_ball(radius, rng)
        for _ in range(20 * count):
            point = _rounded(centre + _point_in_ball(radius, rng), decimals)
            inside = ((point >= SCENE_LOW) & (point <= SCENE_HIGH)).all()
            if inside and _far_enough(point, options, minimum_gap):
                options.append(point)
            if len(options) > count:
                return options
        best = max(best, options, key=len)
    return best


def _point_in_ball(radius: float, rng: np.random.Generator) -> np.ndarray:
    direction = rng.normal(size=3)
    return direction / np.linalg.norm(direction) * radius * rng.random() ** (1 / 3)
