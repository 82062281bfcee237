"""Synthetic examples of text only: options with queries below them, without question or image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robotr1.questions.distractors.movements import sample_movements
from robotr1.questions.movement import LABELS, Levels, describe_movement, movement_text, parse_movement
from robotr1.questions.prompts import LETTERS, format_state
from robotr1.training.pretrain.displacements import differences_in_words, displacement_thought
from robotr1.training.pretrain.scenes import (
    BOUNDS,
    DECIMALS,
    FAR,
    NAMES,
    NEAR,
    is_apart,
    nearest_letter,
    option_texts,
    sample_options,
)

LETTER_WEIGHT = 3.0  # of an answer letter in the loss; other words weigh 1


@dataclass(frozen=True)
class TextExample:
    """Text in pieces, each with its weight in the loss."""

    pieces: list[tuple[str, float]]


def option_example(rng: np.random.Generator, queries: int = 12) -> TextExample:
    """Options, then queries: a letter and its position, or a position and the letter of the nearest option."""
    count = int(rng.integers(2, 5))
    options = [np.round(option, DECIMALS) for option in sample_options([rng.uniform(*BOUNDS)], count, rng)]
    pieces = _listed(option_texts(options))
    for _ in range(queries):
        chosen = int(rng.integers(count))
        if rng.random() < 0.3:
            pieces += [(f"\n[[{'ABCD'[chosen]}]]", 0.0), (f" {format_state(options[chosen], DECIMALS)}", 1.0)]
        else:
            noise = NEAR if rng.random() < 0.5 else 0.0
            pieces += _query(np.round(options[chosen] + rng.normal(0, noise, 3), DECIMALS), options)
    return TextExample(pieces)


def hard_option_example(rng: np.random.Generator, queries: int = 12) -> TextExample:
    """As `option_example`, but harder, so that every axis has to be read.

    Positions are up to decimetres from the options, often right above or below. In most examples the options differ
    along one axis only, or not in height.
    """
    shared = [[], [1, 2], [0, 2], [0, 1], [2]][rng.integers(5)]  # axes on which all options agree
    count = int(rng.integers(2, 5))
    options = sample_options([rng.uniform(*BOUNDS)], 1, rng)
    for _ in range(100):
        option = rng.uniform(*BOUNDS)
        option[shared] = options[0][shared] + rng.normal(0, 0.01, len(shared))
        if len(options) < count and all(is_apart(option, other) for other in options):
            options.append(option)
    options = [np.round(option, DECIMALS) for option in options]
    pieces = _listed(option_texts(options))
    for _ in range(queries):
        position = options[rng.integers(len(options))] + rng.normal(0, rng.choice([0, 0.01, 0.02, 0.04, 0.08]), 3)
        if 2 in shared and rng.random() < 0.3:
            position[2] += rng.normal(0, FAR)
        pieces += _query(np.round(position, DECIMALS), options)
    return TextExample(pieces)


def displacement_example(rng: np.random.Generator, queries: int = 5) -> TextExample:
    """Movements as options, then displacements between two positions: the movement in words, and the nearest option."""
    anchor = LABELS[rng.integers(len(LABELS))]
    options = [movement_text(anchor), *sample_movements(movement_text(anchor), 3, rng)]
    pieces = _listed(options)
    for _ in range(queries):
        likely = parse_movement(options[rng.integers(4)]) if rng.random() < 0.8 else LABELS[rng.integers(len(LABELS))]
        here, there = _displaced_positions(likely, rng)
        differences = differences_in_words(options, describe_movement(there - here))
        given, answer = displacement_thought(*rng.choice(NAMES, 2), here, there)
        pieces += [("\n" + given, 0.0), (answer, 1.0)]
        if differences.count(min(differences)) == 1:
            pieces.append((f"[[{LETTERS[int(np.argmin(differences))]}]]", LETTER_WEIGHT))
    return TextExample(pieces)


def _displaced_positions(levels: Levels, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two rounded positions [3] in metres; the displacement between them mostly has these levels."""
    least, most = np.array([(0, 0), (0.1, 0.5), (0.5, 1)])[np.abs(levels)].T
    change = np.sign(levels) * rng.uniform(0.06, 0.5) * rng.uniform(least, most) + rng.normal(0, 0.004, 3)
    here = rng.uniform(BOUNDS[0] - np.minimum(change, 0), BOUNDS[1] - np.maximum(change, 0))
    return np.round(here, DECIMALS), np.round(here + change, DECIMALS)


def _listed(texts: Sequence[str]) -> list[tuple[str, float]]:
    return [("\n".join(f"[[{letter}]] {text}" for letter, text in zip(LETTERS, texts, strict=False)), 0.0)]


def _query(position: np.ndarray, options: Sequence[np.ndarray]) -> list[tuple[str, float]]:
    return [
        (f"\n at {format_state(position, DECIMALS)}.", 0.0),
        (f"[[{nearest_letter(position, options)}]]", LETTER_WEIGHT),
    ]
