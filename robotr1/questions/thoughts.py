"""Which option a thought speaks for: the one that fits the place or the movement written in it.

Used to measure whether reasoning and answer agree (`evaluation/consistency.py`) and to reward that they do
(`training/rewards.py`). A thought is untrusted text of any length; all of this takes time linear in it.
"""

import math
import re
from collections.abc import Sequence
from string import ascii_uppercase as LETTERS

from robotr1.questions.answers import parse_position
from robotr1.questions.movement import parse_movement, word_differences

_WAY = re.compile(r"\bis \[[^\]]{0,99}\](?=:)")  # "… is [dx, dy, dz]:", how far it is from one position to the other


def without_ways(thought: str) -> str:
    """The thought without differences of positions ("is [dx, dy, dz]:"), which are no places."""
    return _WAY.sub("", thought)


def nearest_option(options: Sequence[str], position: Sequence[float] | None) -> str | None:
    """The letter of the option nearest to `position` (metres, Euclidean); the first of equals; None without position.

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


def letters_written(kind: str, options: Sequence[str], thought: str) -> str | None:
    """The letters of the options that fit best what the thought says; None where it says nothing that could fit.

    For `kind` waypoint and state, the letter of the option nearest to the position written last; for movement, all
    options with the fewest words different from the movement written after the last colon.
    """
    thought = without_ways(thought)
    if kind != "movement":
        return nearest_option(options, parse_position(thought))
    written = parse_movement(thought.rpartition(":")[2])
    choices = [parse_movement(option) for option in options]
    if written is None or None in choices:
        return None
    differences = [word_differences(choice, written) for choice in choices]
    return "".join(LETTERS[i] for i, number in enumerate(differences) if number == min(differences))
