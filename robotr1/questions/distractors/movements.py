"""Distractors of movement questions: labels near the true one.

The Robot-R1 paper (section 3.2) samples "three adjacent movement" and does not define them. Here neighbours are labels
that differ in the word of one or two axes. The options neighbour each other too, so that the truth is not the middle of
them. The strategy says which neighbours are likely (`strategies.Movements`).
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from robotr1.questions.distractors.strategies import DistractorError, Draw, Movements
from robotr1.questions.movement import LABELS, join_hand, movement_text, parse_movement, split_hand
from robotr1.questions.states import is_extended

SMOOTHING = 0.5  # added to how often a movement occurs, so that none is impossible
ANY = Movements()  # every neighbour is equally likely

_DIFFERENCES = (np.array(LABELS)[:, None] != np.array(LABELS)[None]).sum(axis=2)  # [L, L] axes with another word
_TEXTS = [movement_text(levels) for levels in LABELS]
_INDEX = {text: i for i, text in enumerate(_TEXTS)}


def movement_distractors(draw: Draw) -> list[str]:
    """Sample the distractors of a movement question. Raises DistractorError as `sample_movements` does.

    Between extended states, each label gets the hand's words of other answers with that label.
    """
    preferred = draw.strategy.movements(draw)
    label = split_hand(draw.truth)[0]
    labels = sample_movements(label, draw.settings.options - 1, draw.rng, preferred)
    if not is_extended(draw.question.target):
        return labels
    counts = preferred.counts or draw.other_counts() or {draw.truth: 1}
    return [join_hand(other, _sample_hand(other, counts, draw.rng)) for other in labels]


def sample_movements(truth: str, count: int, rng: np.random.Generator, preferred: Movements = ANY) -> list[str]:
    """Sample `count` different wrong labels for the label `truth`.

    Raises:
        ValueError: `truth` is not a movement label.
        DistractorError: it has fewer than `count` neighbours.
    """
    if parse_movement(truth) is None:
        raise ValueError(f"not a movement label: {truth!r}; describe_movement writes labels")
    weights = np.full(len(LABELS), SMOOTHING)
    for answer, number in preferred.counts.items():
        weights[_INDEX[split_hand(answer)[0]]] += number
    chosen = [_INDEX[truth]]
    for allowed in _circles(preferred):
        while len(chosen) <= count:
            left = allowed(chosen)
            left[chosen] = False
            if not left.any():
                break
            share = np.where(left, weights, 0.0).cumsum()
            chosen.append(int(share.searchsorted(rng.random() * share[-1], side="right")))
    if len(chosen) <= count:
        raise DistractorError(f"{truth!r} has fewer than {count} neighbouring movements; lower `options`")
    return [_TEXTS[i] for i in chosen[1:]]


def _circles(preferred: Movements) -> Iterator[Callable[[list[int]], np.ndarray]]:
    """Functions from the labels chosen so far to a mask [L] of those that may follow, the strictest first."""
    if preferred.first is not None:
        yield lambda _: preferred.first.copy()
    yield lambda chosen: (_DIFFERENCES[chosen] <= 2).all(axis=0)
    yield lambda chosen: _DIFFERENCES[chosen[0]] <= 2


def _sample_hand(label: str, counts: Mapping[str, int], rng: np.random.Generator) -> str:
    """Words for the hand, as often as they go with `label` in `counts`, or with any label where it does not occur."""
    alike = {answer: number for answer, number in counts.items() if split_hand(answer)[0] == label}
    answers = alike or counts
    shares = np.array(list(answers.values()), dtype=float)
    return split_hand(list(answers)[rng.choice(len(shares), p=shares / shares.sum())])[1]
