"""Displacements between two positions, as the tiny base writes them: in metres and as a movement."""

from collections.abc import Sequence

import numpy as np

from robotr1.questions.movement import describe_movement, parse_movement, word_differences
from robotr1.questions.prompts import format_state
from robotr1.training.pretrain.scenes import DECIMALS


def displacement_thought(start: str, end: str, here: np.ndarray, there: np.ndarray) -> tuple[str, str]:
    """Two named positions, and the displacement from the first to the second in metres and in words."""
    one, other, difference = (format_state(value, DECIMALS) for value in (here, there, there - here))
    return f"From the {start} at {one} to the {end} at {other}", f" is {difference}: {describe_movement(there - here)}."


def differences_in_words(options: Sequence[str], movement: str) -> list[int]:
    """For each movement option, the number of words that differ from `movement`."""
    return [word_differences(parse_movement(option), parse_movement(movement)) for option in options]
