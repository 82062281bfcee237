"""Wrong positions for waypoint and state questions.

The Robot-R1 paper (section 3.2) samples distractors "from the robot's valid state space" and says no more. How they
are drawn decides what a policy can answer without looking at the image, so the law is a parameter:

uniform         anywhere in the workspace above the table
same_episode    positions that the gripper takes in the same episode
other_episodes  positions that are the answer to the same type of question in other episodes of the task
near_miss       close to the truth, all within one small ball
mirrored        the truth reflected about the workspace's middle, along x, y, z or several of them

A law is a function that yields candidates, one after the other; `draw_distractors` takes those that keep the gap. To
add one, write such a function and put `@distractor("its name")` above it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import dist

import numpy as np

# Scene bounds of ARM and EmbodiedBench in metres, world frame; the floor is raised to RLBench's table top.
TABLE_TOP = 0.75
SCENE_LOW = np.array([-0.3, -0.5, TABLE_TOP])
SCENE_HIGH = np.array([0.7, 0.5, 1.6])
SCENE_MIDDLE = (SCENE_LOW + SCENE_HIGH) / 2

NEAR_DISTANCE = 0.3  # metres
ATTEMPTS, TRIES = 10, 5000  # fresh starts, and candidates in each
TOLERANCE = 1e-9  # metres; two printed positions 0.1 apart may differ by 0.0999…

Point = Sequence[float]  # x, y, z in metres, world frame; of an extended state, its other numbers follow


class DistractorError(ValueError):
    """No set of wrong options can be drawn; the message says which strategy and what to change."""


@dataclass(frozen=True)
class Draw:
    """What a law may use: the truth, chance, and where grippers go."""

    truth: Point
    rng: np.random.Generator
    same_episode: Sequence[Point] = ()
    other_episodes: Callable[[], Iterable[Point]] = tuple  # called: answers to other questions, in random order
    near_distance: float = NEAR_DISTANCE  # metres


Law = Callable[[Draw], Iterator[Point]]
STRATEGIES: dict[str, Law] = {}


def distractor(name: str) -> Callable[[Law], Law]:
    """Register a law under `name`, by which `draw_distractors` and build_questions.distractors know it."""

    def register(law: Law) -> Law:
        STRATEGIES[name] = law
        return law

    return register


def draw_distractors(strategy: str, draw: Draw, count: int, minimum_gap: float, decimals: int = 6) -> list[list[float]]:
    """Draw `count` positions that keep `minimum_gap` metres (euclidean) from the truth and from each other.

    All positions are rounded to `decimals` digits first, so the gap holds for the printed texts; no two print alike.
    Extended states may take part: the gap is that of their positions. A law that takes its candidates from `draw`
    yields them as they are there, the others yield positions.

    Raises:
        DistractorError: the gap cannot be met, or there are fewer candidates than options.
        ValueError: the strategy is unknown.
    """
    law = STRATEGIES.get(strategy)
    if law is None:
        raise ValueError(f"unknown distractor strategy {strategy!r}; use one of {', '.join(STRATEGIES)}")
    gap = max(minimum_gap, 10.0**-decimals) - TOLERANCE
    best: list[list[float]] = []
    for _ in range(ATTEMPTS):
        options = [_rounded(draw.truth, decimals)]
        places = [options[0][:3]]
        for candidate in islice(law(draw), TRIES):
            if len(options) > count:
                break
            point = _rounded(candidate, decimals)
            if all(dist(point[:3], place) >= gap for place in places):
                options.append(point)
                places.append(point[:3])
        if len(options) > count:
            return options[1:]
        best = max(best, options, key=len)
    raise DistractorError(
        f"distractors: {strategy} found only {len(best) - 1} of {count} positions that are {minimum_gap} m from "
        f"{best[0]} and from each other; lower `minimum_gap` or `options`, or collect more demonstrations"
    )


@distractor("uniform")
def uniform(draw: Draw) -> Iterator[Point]:
    while True:
        yield from draw.rng.uniform(SCENE_LOW, SCENE_HIGH, (8, 3)).tolist()


@distractor("same_episode")
def same_episode(draw: Draw) -> Iterator[Point]:
    """Where the episode has too few places, answers of other episodes follow."""
    for i in draw.rng.permutation(len(draw.same_episode)):
        yield draw.same_episode[i]
    yield from draw.other_episodes()


@distractor("other_episodes")
def other_episodes(draw: Draw) -> Iterator[Point]:
    """A position that is the answer twice is twice as likely."""
    yield from draw.other_episodes()


@distractor("near_miss")
def near_miss(draw: Draw) -> Iterator[Point]:
    """All in a ball of diameter `near_distance` whose centre is drawn too: the truth is not in the middle."""
    radius = draw.near_distance / 2
    centre = np.asarray(draw.truth[:3]) + _in_ball(radius, draw.rng, 1)[0]
    for _ in range(TRIES // 8):
        yield from filter(in_scene, (centre + _in_ball(radius, draw.rng, 8)).tolist())


@distractor("mirrored")
def mirrored(draw: Draw) -> Iterator[Point]:
    """Seven reflections of the truth, in random order; then those of answers of other episodes.

    A reflection along x and one along y are each other's reflection along both: no option is the original.
    """
    yield from _reflections(draw.truth[:3], draw.rng)
    for answer in draw.other_episodes():
        yield from _reflections(answer[:3], draw.rng)


def _reflections(point: Point, rng: np.random.Generator) -> Iterator[Point]:
    reflected = (2 * SCENE_MIDDLE - point).tolist()
    corners = list(product(*zip(point, reflected)))[1:]
    for i in rng.permutation(len(corners)):
        if in_scene(corners[i]):
            yield corners[i]


def in_scene(point: Point) -> bool:
    """Whether a position lies within the scene bounds."""
    return all(low <= value <= high for low, value, high in zip(_LOW, point, _HIGH))


def smallest_gap(options: Sequence[Point]) -> float:
    """Smallest euclidean distance in metres between any two positions; infinite for a single one."""
    return min((dist(a, b) for i, a in enumerate(options) for b in options[:i]), default=float("inf"))


_LOW, _HIGH = SCENE_LOW.tolist(), SCENE_HIGH.tolist()


def _rounded(point: Point, decimals: int) -> list[float]:
    """Round as text formatting does; numpy's rounding differs from it at ties such as 0.265."""
    return [round(float(value), decimals) for value in point]


def _in_ball(radius: float, rng: np.random.Generator, count: int) -> np.ndarray:
    """Points [count, 3], evenly within a ball around zero."""
    direction = rng.normal(size=(count, 3))
    length = radius * rng.random((count, 1)) ** (1 / 3)
    return direction / np.linalg.norm(direction, axis=1, keepdims=True) * length
