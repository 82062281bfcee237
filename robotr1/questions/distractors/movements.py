"""Wrong movements: labels near the true one.

The Robot-R1 paper (section 3.2) samples "three adjacent movement" and does not define them. Here neighbours are labels
that differ in the word of one or two axes, and the options neighbour each other too, so that the truth is not the
middle of them. Which neighbours are likely follows the strategy of the positions:

other_episodes  as often as a label is the answer in other episodes of the task, so that rare movements are no clue
same_episode    the same, with the answers of this episode
near_miss       only the word of one axis differs
mirrored        directions reversed along one or more axes; then neighbours
any other       every neighbour equally likely
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import numpy as np

from robotr1.questions.distractors.positions import DistractorError
from robotr1.questions.movement import LABELS, SMOOTHING, Levels, movement_text, parse_movement

_PLACE = {levels: place for place, levels in enumerate(LABELS)}
_LEVELS = np.array(LABELS)  # [L,3]
_DIFFERENCES = (_LEVELS[:, None] != _LEVELS[None]).sum(axis=2)  # [L,L] axes with another word
_TEXTS = [movement_text(levels) for levels in LABELS]
_PLACE_OF_TEXT = {text: place for place, text in enumerate(_TEXTS)}


def draw_movements(
    strategy: str, truth: str, count: int, rng: np.random.Generator, common: Mapping[str, int] | None = None
) -> list[str]:
    """Draw `count` different wrong labels for the label `truth`.

    Args:
        common: how often a label is the answer to other questions; read by other_episodes and same_episode.

    Raises:
        ValueError: `truth` is not a movement label.
        DistractorError: it has fewer than `count` neighbours.
    """
    levels = parse_movement(truth)
    if levels is None:
        raise ValueError(f"not a movement label: {truth!r}; describe_movement writes labels")
    weights = np.full(len(LABELS), SMOOTHING)
    for label, number in (common or {}).items() if strategy in ("other_episodes", "same_episode") else ():
        weights[_PLACE_OF_TEXT[label]] += number
    chosen = [_PLACE[levels]]
    for allowed in _circles(strategy, levels, rng):
        while len(chosen) <= count:
            left = allowed(chosen)
            left[chosen] = False
            if not left.any():
                break
            share = np.where(left, weights, 0.0).cumsum()
            chosen.append(int(share.searchsorted(rng.random() * share[-1], side="right")))
    if len(chosen) <= count:
        raise DistractorError(f"{truth!r} has fewer than {count} neighbouring movements; lower `options`")
    return [_TEXTS[place] for place in chosen[1:]]


def _circles(strategy: str, truth: Levels, rng: np.random.Generator) -> Iterator[Callable[[list[int]], np.ndarray]]:
    """From the innermost outward: functions from the labels chosen so far to a mask [L] of those that may follow."""
    if strategy == "near_miss":
        axis = rng.integers(3)
        others = [other for other in range(3) if other != axis]
        same_line = (_LEVELS[:, others] == np.array(truth)[others]).all(axis=1)
        yield lambda _: same_line.copy()
    if strategy == "mirrored":
        turned = {tuple(level * sign for level, sign in zip(truth, signs)) for signs in product((1, -1), repeat=3)}
        reflections = np.isin(np.arange(len(LABELS)), [_PLACE[levels] for levels in turned])
        yield lambda _: reflections.copy()
    yield lambda chosen: (_DIFFERENCES[chosen] <= 2).all(axis=0)
    yield lambda chosen: _DIFFERENCES[chosen[0]] <= 2
