"""Find the option that a thought supports: the one that matches the position or movement written in it.

Used to measure whether thought and answer agree (`evaluation/multiple_choice/consistency.py`) and to reward agreement
(`training/rewards.py`). A thought is untrusted text of any length; every function takes time linear in it.
"""

import math
import re
from collections.abc import Sequence
from string import ascii_uppercase as LETTERS

from robotr1.questions.answers import parse_position
from robotr1.questions.movement import parse_movement, word_differences

_DISPLACEMENT = re.compile(r"\bis \[[^\]]{0,99}\](?=:)")  # "… is [dx, dy, dz]:", between two positions


def without_displacements(thought: str) -> str:
    """Remove displacements ("is [dx, dy, dz]:") from a thought: they are not positions."""
    return _DISPLACEMENT.sub("", thought)


def nearest_option(options: Sequence[str], position: Sequence[float] | None) -> str | None:
    """The letter of the option nearest to `position` (metres, euclidean); the first of equals; None without position.

    Raises:
        ValueError: an option is not a position.
    """
    if position is None:
        return None
    places = [parse_position(option) for option in options]
    if None in places:
        raise ValueError(f"options {list(options)} are not positions [x, y, z]; movements have no nearest option")
    distances = [math.dist(place, position) for place in places]
    return LETTERS[distances.index(min(distances))]


def letters_written(type: str, options: Sequence[str], thought: str) -> str | None:
    """The letters of the options that best match what the thought says; None where nothing in it can match.

    For waypoint and state questions, the option nearest to the last written position. For movement questions, all
    options with the fewest words different from the movement after the last colon.
    """
    thought = without_displacements(thought)
    if type != "movement":
        return nearest_option(options, parse_position(thought))
    written = parse_movement(thought.rpartition(":")[2])
    choices = [parse_movement(option) for option in options]
    if written is None or None in choices:
        return None
    differences = [word_differences(choice, written) for choice in choices]
    return "".join(LETTERS[i] for i, number in enumerate(differences) if number == min(differences))
