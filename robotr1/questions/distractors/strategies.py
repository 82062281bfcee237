"""Registry of distractor strategies: how the distractors of a question are sampled.

The Robot-R1 paper (section 3.2) samples distractors "from the robot's valid state space" and "adjacent" movements, and
says no more. The source of the distractors decides what a policy can answer without the image, so it is a setting:

uniform         positions anywhere in the workspace above the table; any neighbouring movement
same_episode    positions that the gripper takes in the same episode; movements that are common in it
other_episodes  answers to the same type of question in other episodes of the task
near_miss       positions in one small ball around the truth; movements that differ in the word of one axis
mirrored        the truth reflected about the middle of the workspace along x, y, z or several axes
paired          the answers of three other questions, which share all four options (questions/paired.py)

To add a strategy, subclass `Strategy` and put `@register_strategy("its name")` above the class.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from robotr1.questions.answers import parse_state
from robotr1.questions.distractors.scene import SCENE_HIGH, SCENE_LOW, SCENE_MIDDLE, Point, in_scene
from robotr1.questions.movement import LABELS, parse_movement
from robotr1.records import Question
from robotr1.settings import DISTRACTORS, BuildQuestions

TRIES = 5000  # candidate positions that are tried at most for one question
BATCH = 8  # random positions made at a time
_LEVELS = np.array(LABELS)  # [L, 3]


class DistractorError(ValueError):
    """A question has no set of distractors; the message names the strategy and what to change."""


@dataclass(frozen=True)
class Draw:
    """One question that needs distractors, and what a strategy may sample them from."""

    question: Question  # without options
    truth: str  # the right option
    settings: BuildQuestions
    rng: np.random.Generator
    states: Sequence[Point] = ()  # of the gripper, in each frame of the same episode
    other_answers: Callable[[], Iterable[str]] = tuple  # answers in other episodes of the task, in random order
    other_counts: Callable[[], Mapping[str, int]] = dict  # how often each answer occurs in other episodes
    episode_counts: Callable[[], Mapping[str, int]] = dict  # the same in this episode

    @property
    def strategy(self) -> "Strategy":
        """The strategy that `settings` name."""
        return STRATEGIES[self.settings.distractors]

    @property
    def position(self) -> Point:
        """The true state of a waypoint or state question."""
        return self.question.target if self.question.type == "waypoint" else self.question.state

    def other_positions(self) -> Iterator[Point]:
        """The states that `other_answers` hold."""
        return (parse_state(answer, len(self.position)) for answer in self.other_answers())


@dataclass(frozen=True)
class Movements:
    """Which movement labels a strategy prefers among the neighbours of the true one."""

    counts: Mapping[str, int] = field(default_factory=dict)  # a label is as likely as it is common here
    first: np.ndarray | None = None  # [L] bool over LABELS: sampled before any other label, neighbour or not


class Strategy:
    """Base class of all strategies. One without `movements` is refused for movement questions."""

    movements: Callable[[Draw], Movements] | None = None

    def positions(self, draw: Draw) -> Iterator[Point]:
        """Yield candidates for wrong positions; those that keep the minimum gap become distractors.

        States from `draw` are yielded as they are there, extended or not; other candidates are positions.
        """
        raise NotImplementedError


STRATEGIES: dict[str, Strategy] = {}


def register_strategy(name: str) -> Callable[[type[Strategy]], type[Strategy]]:
    """Class decorator that makes a strategy a valid value of `build_questions.distractors` in this process."""

    def register(strategy: type[Strategy]) -> type[Strategy]:
        if strategy.positions is Strategy.positions:
            raise TypeError(f"strategy {name!r}: {strategy.__name__} has no positions(self, draw)")
        STRATEGIES[name] = strategy()
        if name not in DISTRACTORS:
            DISTRACTORS.append(name)
        return strategy

    return register


def check_strategy(settings: BuildQuestions) -> None:
    """Raise DistractorError where the strategy cannot serve all question types that `settings` name."""
    if "movement" in settings.types and STRATEGIES[settings.distractors].movements is None:
        raise DistractorError(
            f"build_questions.distractors: strategy {settings.distractors} has no movements(); add the method, or "
            "remove movement from build_questions.types"
        )


@register_strategy("uniform")
class Uniform(Strategy):
    def positions(self, draw: Draw) -> Iterator[Point]:
        while True:
            yield from draw.rng.uniform(SCENE_LOW, SCENE_HIGH, (BATCH, 3)).tolist()

    def movements(self, draw: Draw) -> Movements:
        return Movements()


@register_strategy("same_episode")
class SameEpisode(Strategy):
    """Where the episode has too few positions, answers of other episodes follow."""

    def positions(self, draw: Draw) -> Iterator[Point]:
        for i in draw.rng.permutation(len(draw.states)):
            yield draw.states[i]
        yield from draw.other_positions()

    def movements(self, draw: Draw) -> Movements:
        return Movements(draw.episode_counts())


@register_strategy("other_episodes")
class OtherEpisodes(Strategy):
    """An answer that occurs twice is twice as likely: being rare gives no option away."""

    def positions(self, draw: Draw) -> Iterator[Point]:
        yield from draw.other_positions()

    def movements(self, draw: Draw) -> Movements:
        return Movements(draw.other_counts())


@register_strategy("near_miss")
class NearMiss(Strategy):
    """Positions are in a ball of diameter `near_distance` with a random centre: the truth is not the middle."""

    def positions(self, draw: Draw) -> Iterator[Point]:
        radius = draw.settings.near_distance / 2
        centre = np.asarray(draw.position[:3]) + _in_ball(radius, draw.rng, 1)[0]
        for _ in range(TRIES // BATCH):
            yield from filter(in_scene, (centre + _in_ball(radius, draw.rng, BATCH)).tolist())

    def movements(self, draw: Draw) -> Movements:
        axis = draw.rng.integers(3)
        others = [other for other in range(3) if other != axis]
        return Movements(first=(_LEVELS[:, others] == np.array(parse_movement(draw.truth))[others]).all(axis=1))


@register_strategy("mirrored")
class Mirrored(Strategy):
    """Seven reflections of the truth in random order, then reflections of answers of other episodes.

    A reflection along x and one along y are each other's reflection along both: no option stands out as the original.
    """

    def positions(self, draw: Draw) -> Iterator[Point]:
        yield from _reflections(draw.position[:3], draw.rng)
        for answer in draw.other_positions():
            yield from _reflections(answer[:3], draw.rng)

    def movements(self, draw: Draw) -> Movements:
        return Movements(first=(np.abs(_LEVELS) == np.abs(parse_movement(draw.truth))).all(axis=1))


@register_strategy("paired")
class Paired(OtherEpisodes):
    """The build makes whole sets (questions/paired.py). A question by itself gets answers of other episodes."""


def _reflections(point: Point, rng: np.random.Generator) -> Iterator[Point]:
    reflected = (2 * SCENE_MIDDLE - point).tolist()
    corners = list(product(*zip(point, reflected)))[1:]
    for i in rng.permutation(len(corners)):
        if in_scene(corners[i]):
            yield corners[i]


def _in_ball(radius: float, rng: np.random.Generator, count: int) -> np.ndarray:
    """Points [count, 3], uniform within a ball around zero."""
    direction = rng.normal(size=(count, 3))
    shares = [share ** (1 / 3) for share in rng.random(count).tolist()]  # numpy's power depends on the CPU
    length = radius * np.array(shares)[:, None]
    return direction / np.linalg.norm(direction, axis=1, keepdims=True) * length
