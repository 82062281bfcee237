"""Movement labels: a displacement of the gripper in words, and back.

A label is held as three integers, one per axis (x, y, z): 0 no word, ±1 a "slightly" word, ±2 a full word; the
sign is the direction along the axis. The rule is the one of the Robot-R1 paper, section 3.2.

Between extended states, words for the hand follow the label where there is something to say: "move down; turn
clockwise and close the gripper". Turns are those about the vertical, seen from above; tilts have no words.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.spatial.transform import Rotation

from robotr1.questions.states import ANGLES, is_extended

Levels = tuple[int, int, int]

# (positive, negative) word of each axis, seen by the front camera: +x comes toward it, +y is right, +z is up.
AXIS_WORDS = (("forward", "backward"), ("right", "left"), ("up", "down"))
STAY = "stay in place"

# What the hand does: (positive, negative) words of a turn about the world's z, and of the gripper.
HAND_WORDS = (("turn counterclockwise", "turn clockwise"), ("open the gripper", "close the gripper"))
HAND_JOINT = "; "  # between a label and the words for the hand
LEAST_TURN = 0.1  # rad; smaller turns get no word

# Every label that the rule can give: the axis that changes most is never "slightly".
LABELS = tuple(levels for levels in product(range(-2, 3), repeat=3) if max(map(abs, levels)) != 1)
SMOOTHING = 0.5  # added to how often a movement occurs, so that none is impossible

_TOLERANCE = 1e-9  # metres; keeps 0.15 - 0.10 equal to half of 0.1 in floating point
_PART = re.compile(r"(slightly )?move (\w+)")
_LEVEL_OF_WORD = {
    word: (axis, sign) for axis, words in enumerate(AXIS_WORDS) for word, sign in zip(words, (1, -1), strict=True)
}


def movement_levels(delta: Sequence[float], dead_zone: float = 0.01) -> Levels:
    """Turn a displacement into the three levels of its label.

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
    """Describe the way from one state to another: the label and, where the states are extended, the hand's words."""
    label = describe_movement(np.subtract(target[:3], state[:3]), dead_zone)
    hand = hand_text(hand_levels(state, target)) if is_extended(target) else ""
    return join_hand(label, hand)


def hand_levels(state: Sequence[float], target: Sequence[float]) -> tuple[int, int]:
    """What the hand does between two extended states: the signs of its turn about the vertical and of its opening."""
    now, then = (Rotation.from_euler("xyz", one[ANGLES]) for one in (state, target))
    turn = (then * now.inv()).as_rotvec()[2]
    return int(np.sign(turn)) if abs(turn) > LEAST_TURN else 0, int(np.sign(target[-1] - state[-1]))


def hand_text(levels: Sequence[int]) -> str:
    """The words for the hand, empty where it does nothing."""
    return " and ".join(words[level < 0] for words, level in zip(HAND_WORDS, levels, strict=True) if level)


HANDS = {hand_text(levels): levels for levels in product((-1, 0, 1), repeat=2)}


def join_hand(label: str, hand: str) -> str:
    """A movement with the words for the hand behind it, where there are any."""
    return f"{label}{HAND_JOINT}{hand}" if hand else label


def split_hand(text: str) -> tuple[str, str]:
    """The label and the words for the hand; the inverse of `join_hand`."""
    label, _, hand = text.partition(HAND_JOINT)
    return label, hand


def parse_movement(text: str) -> Levels | None:
    """Read a label written by `movement_text` (any case, final period allowed); None for anything else.

    Words for the hand may follow it; they have no levels here.
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


def neighbouring_movements(truth: str, count: int, rng: np.random.Generator, pool: Sequence[str] = ()) -> list[str]:
    """Draw labels that differ from `truth` in the word of one or two axes, all different.

    The paper samples "adjacent movements" and does not define them. Here options also neighbour each other (as long
    as such labels are left, which four options never run out of): the truth is not the middle of them. `pool` holds
    answers to other questions: a label is as likely as it is common there, so that rare movements are no clue
    either. Without a pool all are equally likely.

    Raises:
        ValueError: `truth` is not a movement label, or has too few neighbours for `count`.
    """
    levels = parse_movement(truth)
    if levels is None:
        raise ValueError(f"not a movement label: {truth!r}; describe_movement writes labels")
    frequency = Counter(parse_movement(label) for label in pool)
    options = [levels]
    while len(options) <= count:
        left = [label for label in LABELS if label not in options and word_differences(label, levels) <= 2]
        near = [label for label in left if all(word_differences(label, option) <= 2 for option in options)] or left
        if not near:
            raise ValueError(f"{truth!r} has fewer than {count} neighbouring movements; lower `options`")
        weights = np.array([frequency[label] + SMOOTHING for label in near])
        options.append(near[rng.choice(len(near), p=weights / weights.sum())])
    return [movement_text(option) for option in options[1:]]
