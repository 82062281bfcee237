"""Read options, positions and movements back from prompts and completions of the tiny base's examples."""

import numpy as np

from robotr1.questions.answers import parse_state


def options_of(prompt: str) -> dict[str, str]:
    return {line[2]: line[6:] for line in prompt.splitlines() if line.startswith("[[")}


def positions_of(text: str) -> list[np.ndarray]:
    return [np.array(parse_state("[" + part.split("]")[0] + "]")) for part in text.split("[")[1:]]


def words(movement: str) -> str:
    return movement.rpartition(": ")[2]
