"""The shortcut audit: the accuracy of policies that never see the image.

Multiple-choice questions leak: the gripper is near the next waypoint, targets are low, some movements are common. Every
accuracy of the study is compared with the best of these blind guesses. The strongest is a conditional logit over the
options, fitted on the training questions: it uses everything the prompt says and nothing else.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from robotr1.metadata import WORLD_ORIGIN
from robotr1.questions.answers import parse_position, parse_state
from robotr1.questions.movement import HANDS, parse_movement, split_hand, word_differences
from robotr1.questions.prompts import LETTERS, states_position
from robotr1.questions.states import is_extended
from robotr1.records import Question
from robotr1.statistics import accuracy_interval

TABLE_CENTRE = np.array(WORLD_ORIGIN)  # metres; positions are measured from here in the features
TEXT_BUCKETS = 32  # options that are neither positions nor movements are distinguished by a hash of their text
RIDGE = 1e-3  # penalty on the squared weights of standardized features, per question


@dataclass(frozen=True)
class BlindGuess:
    """Accuracy of one blind policy on the questions of one split and type, with its interval."""

    policy: str
    split: str
    type: str
    questions: int
    accuracy: float
    low: float
    high: float


_levels = lru_cache(maxsize=1024)(parse_movement)
_differences = lru_cache(maxsize=None)(word_differences)


def option_features(question: Question) -> np.ndarray:
    """Features of every option from the prompt alone: [options, features].

    Positions: the option, its square, its rank in height, its distance to the mean of the options and, where the
    prompt states the gripper, its offset from it and the products with it (a linear guess of target from state).
    Movements: one indicator for every word of every axis, the number of words shared with the other options and, where
    the prompt states the gripper, the products of levels and position. Extended states add rotation and gripper, and
    movements between them the hand's words. Other texts: the first number and a hash.
    """
    if question.type == "movement":
        labels = [_levels(option) for option in question.options]
        words = np.array([[axis == level for axis in label for level in (-2, -1, 1, 2)] for label in labels])
        others = [[sum(_differences(label, other) for other in labels)] for label in labels]
        columns = [words, others]
        if is_extended(question.state):
            hands = [HANDS[split_hand(option)[1]] for option in question.options]
            columns.append([[level == sign for level in hand for sign in (-1, 1)] for hand in hands])
        if states_position(question.prompt):
            state = np.asarray(question.state[:3]) - TABLE_CENTRE
            columns.append((np.array(labels)[:, :, None] * state).reshape(len(labels), 9))
        return np.hstack(columns).astype(float)
    if question.type not in ("waypoint", "state"):
        return np.array([_text_features(option) for option in question.options])
    numbers = np.array([parse_state(option, len(question.state)) for option in question.options])
    points, hands = numbers[:, :3] - TABLE_CENTRE, numbers[:, 3:]
    height_rank = points[:, 2].argsort(kind="stable").argsort(kind="stable")
    from_mean = np.linalg.norm(points - points.mean(axis=0), axis=1)
    columns = [points, points**2, height_rank[:, None], from_mean[:, None], hands, hands**2]
    if states_position(question.prompt):
        columns.append(np.abs(hands - question.state[3:]))
        state = np.asarray(question.state[:3]) - TABLE_CENTRE
        offset = points - state
        columns += [
            (points[:, :, None] * state).reshape(len(points), 9),
            np.abs(offset),
            np.linalg.norm(offset, axis=1, keepdims=True),
            np.linalg.norm(offset[:, :2], axis=1, keepdims=True),
        ]
    return np.hstack(columns)


def _text_features(option: str) -> list[float]:
    number = re.search(r"-?\d+(\.\d+)?", option)
    value = float(number.group()) if number else 0.0
    bucket = zlib.crc32(option.encode()) % TEXT_BUCKETS
    return [value, value**2, *(float(place == bucket) for place in range(TEXT_BUCKETS))]


class ConditionalLogit:
    """Choose by the softmax of a linear score over the options' features, with one weight vector per question type."""

    def __init__(self) -> None:
        self.weights: dict[str, np.ndarray] = {}

    def fit(self, questions: Sequence[Question]) -> "ConditionalLogit":
        """Fit by penalized maximum likelihood, deterministically. Raises ValueError without questions."""
        if not questions:
            raise ValueError("the conditional logit needs training questions, got none")
        for type in sorted({question.type for question in questions}):
            chosen = [question for question in questions if question.type == type]
            features = np.array([option_features(question) for question in chosen])
            answers = np.array([LETTERS.index(question.answer) for question in chosen])
            self.weights[type] = _fit_weights(features, answers)
        return self

    def choose(self, question: Question) -> str:
        """The letter of the option with the highest score. Raises KeyError for a type that was not fitted."""
        return LETTERS[int(np.argmax(option_features(question) @ self.weights[question.type]))]


def _fit_weights(features: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Weights [F] for features [Q, options, F] and the index of each right option [Q]."""
    centred = features - features.mean(axis=1, keepdims=True)
    scale = centred.std(axis=(0, 1))
    scale[scale < 1e-9] = np.inf
    centred /= scale
    right = centred[np.arange(len(answers)), answers].mean(axis=0)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_chance = log_softmax(centred @ weights, axis=1)
        picked = log_chance[np.arange(len(answers)), answers]
        expected = np.einsum("qo,qof->f", np.exp(log_chance), centred) / len(answers)
        return -picked.mean() + RIDGE * weights @ weights, expected - right + 2 * RIDGE * weights

    start = np.zeros(features.shape[2])
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x / scale


def nearest_to_state(question: Question) -> str | None:
    """The option nearest to the gripper, where the prompt states its position and options are positions."""
    if question.type not in ("waypoint", "state") or not states_position(question.prompt):
        return None
    points = np.array([parse_position(option) for option in question.options])
    return LETTERS[int(np.argmin(np.linalg.norm(points - question.state[:3], axis=1)))]


def lowest(question: Question) -> str | None:
    """The option with the lowest z; for movements, the one most downward; None for other texts."""
    read = {"waypoint": parse_position, "state": parse_position, "movement": parse_movement}.get(question.type)
    return read and LETTERS[int(np.argmin([read(option)[2] for option in question.options]))]


def middle(question: Question) -> str | None:
    """The option nearest to the mean of all; for movements, the one with most words in common with the others."""
    if question.type == "movement":
        return LETTERS[int(np.argmin(option_features(question)[:, 12]))]
    if question.type not in ("waypoint", "state"):
        return None
    points = np.array([parse_position(option) for option in question.options])
    return LETTERS[int(np.argmin(np.linalg.norm(points - points.mean(axis=0), axis=1)))]


def majority_letter(training: Sequence[Question]) -> Callable[[Question], str]:
    """A policy that always chooses the most frequent right letter of training, per type."""
    best = {}
    for type in {question.type for question in training}:
        answers = [question.answer for question in training if question.type == type]
        best[type] = max(LETTERS, key=answers.count)
    return lambda question: best[question.type]


def audit(
    splits: dict[str, Sequence[Question]], confidence: float = 0.95, scored: Sequence[str] | None = None
) -> list[BlindGuess]:
    """Accuracy of every blind policy on every type and split (or those in `scored`); policies are fitted on train.

    Raises ValueError where there are no training questions.
    """
    policies: dict[str, Callable[[Question], str | None]] = {
        "majority letter": majority_letter(splits["train"]),
        "nearest to state": nearest_to_state,
        "lowest": lowest,
        "middle": middle,
        "text only": ConditionalLogit().fit(splits["train"]).choose,
    }
    rows = []
    for split, questions in splits.items():
        if scored is not None and split not in scored:
            continue
        for type in dict.fromkeys(question.type for question in questions):
            chosen = [question for question in questions if question.type == type]
            for name, policy in policies.items():
                letters = [policy(question) for question in chosen]
                if None in letters:
                    continue
                correct = [letter == question.answer for letter, question in zip(letters, chosen, strict=True)]
                rows.append(BlindGuess(name, split, type, len(chosen), *accuracy_interval(correct, confidence)))
    return rows


def best_blind(rows: Sequence[BlindGuess]) -> dict[tuple[str, str], BlindGuess]:
    """The most accurate blind policy for each (split, type)."""
    best: dict[tuple[str, str], BlindGuess] = {}
    for row in rows:
        held = best.get((row.split, row.type))
        if held is None or row.accuracy > held.accuracy:
            best[row.split, row.type] = row
    return best
