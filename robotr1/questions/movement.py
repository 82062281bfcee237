"""Movement labels: write a displacement of the gripper as words, and parse such words.

A label is three integers, one per axis (x, y, z): 0 no word, ±1 a "slightly" word, ±2 a full word; the sign is the
direction along the axis. The rule is that of the Robot-R1 paper, section 3.2.

Between extended states, words for the hand follow the label: "move down; turn clockwise and close the gripper". Turns
are about the vertical, seen from above; a hand that neither turns nor opens or closes gets no words, nor does a tilt.
"""

import re
from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.spatial.transform import Rotation

from robotr1.questions.states import ANGLES, is_extended

Levels = tuple[int, int, int]

# (positive, negative) word of each axis, seen by the front camera: +x comes toward it, +y is right, +z is up.
AXIS_WORDS = (("forward", "backward"), ("right", "left"), ("up", "down"))
STAY = "stay in place"

# (positive, negative) words of the hand: its turn about the world's z axis, and its gripper.
HAND_WORDS = (("turn counterclockwise", "turn clockwise"), ("open the gripper", "close the gripper"))
HAND_JOINT = "; "  # between a label and the words for the hand
LEAST_TURN = 0.1  # rad; smaller turns get no word

# Every label that the rule can give: the axis that changes most is never "slightly".
LABELS = tuple(levels for levels in product(range(-2, 3), repeat=3) if max(map(abs, levels)) != 1)

_TOLERANCE = 1e-9  # metres; keeps 0.15 - 0.10 equal to half of 0.1 in floating point
_PART = re.compile(r"(slightly )?move (\w+)")
_LEVEL_OF_WORD = {
    word: (axis, sign) for axis, words in enumerate(AXIS_WORDS) for word, sign in zip(words, (1, -1), strict=True)
}


def movement_levels(delta: Sequence[float], dead_zone: float = 0.01) -> Levels:
    """Compute the three levels of a displacement's label.

    Args:
        delta: target minus current position, [3] in metres, world frame.
        dead_zone: metres; an axis that changes by no more than this gets no word. 0 is the paper's literal rule.

    Raises:
        ValueError: `delta` is not three finite numbers.
    """
    change = np.asarray(delta, dtype=float)
    if change.shape != (3,) or not np.isfinite(change).all():
        raise ValueError(f"a movement is three finite numbers (x, y, z in metres), not {delta!r}")
    size = np.abs(change)
    strength = np.where(size <= size.max() / 2 + _TOLERANCE, 1, 2)
    strength[size <= dead_zone + _TOLERANCE] = 0
    x, y, z = (strength * np.sign(change)).astype(int).tolist()
    return x, y, z


def movement_text(levels: Levels) -> str:
    """Write levels as text, axes in the order x, y, z: "slightly move forward and move down"."""
    parts = [
        ("slightly " if abs(level) == 1 else "") + "move " + AXIS_WORDS[axis][level < 0]
        for axis, level in enumerate(levels)
        if level
    ]
    if len(parts) < 3:
        return " and ".join(parts) or STAY
    return ", ".join(parts[:2]) + ", and " + parts[2]


def describe_movement(delta: Sequence[float], dead_zone: float = 0.01) -> str:
    """Describe a displacement in words (Robot-R1, section 3.2).

    Every axis that changes by more than `dead_zone` metres gives a direction word, marked "slightly" when its
    change is at most half of the largest one. `delta` is [3] in metres: +x forward (toward the front camera),
    +y right, +z up. Nothing beyond the dead zone gives "stay in place".
    """
    return movement_text(movement_levels(delta, dead_zone))


def describe_motion(state: Sequence[float], target: Sequence[float], dead_zone: float = 0.01) -> str:
    """Describe the motion between two states: the label and, for extended states, the words for the hand."""
    label = describe_movement(np.subtract(target[:3], state[:3]), dead_zone)
    hand = hand_text(hand_levels(state, target)) if is_extended(target) else ""
    return join_hand(label, hand)


def hand_levels(state: Sequence[float], target: Sequence[float]) -> tuple[int, int]:
    """Signs of the hand's turn about the vertical and of its opening, between two extended states."""
    now, then = (Rotation.from_euler("xyz", one[ANGLES]) for one in (state, target))
    turn = (then * now.inv()).as_rotvec()[2]
    return int(np.sign(turn)) if abs(turn) > LEAST_TURN else 0, int(np.sign(target[-1] - state[-1]))


def hand_text(levels: Sequence[int]) -> str:
    """The words for the hand; empty where it does nothing."""
    return " and ".join(words[level < 0] for words, level in zip(HAND_WORDS, levels, strict=True) if level)


HANDS = {hand_text(levels): levels for levels in product((-1, 0, 1), repeat=2)}


def join_hand(label: str, hand: str) -> str:
    """Append the words for the hand to a label, if there are any."""
    return f"{label}{HAND_JOINT}{hand}" if hand else label


def split_hand(text: str) -> tuple[str, str]:
    """Split a movement into its label and the words for the hand; the inverse of `join_hand`."""
    label, _, hand = text.partition(HAND_JOINT)
    return label, hand


def parse_movement(text: str) -> Levels | None:
    """Parse a label written by `movement_text` (any case, final period allowed); None for any other text.

    Words for the hand may follow it and are left out of the levels.
    """
    plain, hand = split_hand(" ".join(text.lower().split()).rstrip("."))
    if hand not in HANDS:
        return None
    levels = [0, 0, 0]
    for slightly, word in _PART.findall(plain):
        axis, sign = _LEVEL_OF_WORD.get(word, (None, 0))
        if axis is None:
            return None
        levels[axis] = sign if slightly else 2 * sign
    label = (levels[0], levels[1], levels[2])
    return label if movement_text(label) == plain else None


def word_differences(one: Levels, other: Levels) -> int:
    """Number of axes on which two labels have different words."""
    return sum(a != b for a, b in zip(one, other, strict=True))
