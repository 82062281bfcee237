"""EB-Manipulation's discrete actions (seven integers for tip pose and gripper), and reading plans from replies.

EmbodiedBench's numbers (envs/eb_manipulation): position in 100 bins along each axis of RLBench's scene bounds, so
1 cm; rotation as Euler angles about the fixed axes x, y, z in bins of 3 degrees, starting at -180; gripper 1 open, 0
closed. A position bin decodes to its centre, a rotation bin to its multiple of 3 degrees.
"""

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

LOW, HIGH = np.array([-0.3, -0.5, 0.6]), np.array([0.7, 0.5, 1.6])  # metres
POSITION_BINS, DEGREES = 100, 3
ROTATION_BINS = 360 // DEGREES
BIN = (HIGH - LOW) / POSITION_BINS  # metres
LARGEST = (*[POSITION_BINS] * 3, *[ROTATION_BINS] * 3, 1)  # maximum of each number, from EmbodiedBench's prompt
PLAN = "executable_plan"
LONGEST = 20_000  # characters read from the end of a reply
BUDGET = 50 * LONGEST  # characters read for objects that turn out to be none

Action = tuple[int, ...]


@dataclass(frozen=True)
class Unreadable:
    """A reply without exactly one plan; `reason` says what is wrong with it."""

    reason: str


def encode_position(position: Sequence[float]) -> list[int]:
    """The bins of a position [3] in metres; a position outside the scene gets the nearest bin."""
    return np.clip(np.floor((np.asarray(position) - LOW) / BIN + 1e-9), 0, POSITION_BINS - 1).astype(int).tolist()


def encode(pose: np.ndarray, gripper: float) -> Action:
    """The action nearest to a tip pose [7] (metres, quaternion xyzw) and a gripper command (1 open, 0 closed)."""
    angles = Rotation.from_quat(pose[3:]).as_euler("xyz", degrees=True)
    turned = np.round((angles + 180) / DEGREES).astype(int) % ROTATION_BINS
    return (*encode_position(pose[:3]), *turned.tolist(), int(gripper > 0.5))


def decode(action: Sequence[int]) -> tuple[np.ndarray, float]:
    """The tip pose [7] and the gripper command of an action."""
    position = LOW + BIN * (np.array(action[:3]) + 0.5)
    turned = Rotation.from_euler("xyz", np.array(action[3:6]) * DEGREES - 180, degrees=True)
    return np.concatenate([position, turned.as_quat()]), float(action[6])


def parse_plan(reply: str) -> list[Action] | Unreadable:
    """The plan of a reply: the JSON object with `executable_plan`, alone or after other text, in a fence or bare.

    The plan may be a list of actions or of {"action": …} objects (EmbodiedBench's schema), or such a list as a string
    (its examples). An action is seven whole numbers, as a list or as its string. Nothing is rounded, clipped or left
    out: one wrong or out-of-range number makes the reply unreadable, and so do two different plans. An empty plan is
    valid. No text raises an error, and a reply takes less than a second.
    """
    try:
        plans = [found[PLAN] for found in _objects(reply[-LONGEST:])]
        if any(plan != plans[0] for plan in plans):
            return Unreadable("several different plans")
    except RecursionError:
        return Unreadable("nested too deeply")
    if not plans:
        return Unreadable("no JSON object with executable_plan")
    plan = _literal(plans[0])
    if not isinstance(plan, list | tuple):
        return Unreadable("executable_plan is no list")
    actions = [
        _action(entry["action"] if isinstance(entry, dict) and set(entry) == {"action"} else entry) for entry in plan
    ]
    return Unreadable("not seven whole numbers in range") if None in actions else actions


def _objects(text: str) -> list[dict]:
    """The outermost JSON objects with a plan; a plan under "properties", as in a JSON schema, counts too."""
    decoder = json.JSONDecoder(object_pairs_hook=_unambiguous)
    found, at, last, budget = [], text.find("{"), text.rfind(PLAN), BUDGET
    while 0 <= at < last and budget > 0:  # an object that starts after the last plan has none
        try:
            value, length = decoder.raw_decode(text[at:])
        except (ValueError, RecursionError) as error:
            budget -= getattr(error, "pos", len(text))
            at = text.find("{", at + 1)
            continue
        inner = value.get("properties", value)
        found += [inner] if isinstance(inner, dict) and PLAN in inner else []
        at = text.find("{", at + length)
    return found


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; JSON itself would take the last of two plans or actions."""
    for name in (PLAN, "action"):
        values = [value for key, value in pairs if key == name]
        if any(value != values[0] for value in values):
            raise ValueError(f"two values of {name}")
    return dict(pairs)


def _literal(value: Any) -> Any:
    """Parse a string of numbers and brackets as a list; return anything else unchanged."""
    if isinstance(value, str) and re.fullmatch(r"""[\s\d.,:\[\](){}"'action-]*""", value):
        try:
            return ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):  # TypeError: a set of lists
            return value
    return value


def _action(entry: Any) -> Action | None:
    entry = _literal(entry)
    if not isinstance(entry, list | tuple) or len(entry) != len(LARGEST):
        return None
    fits = all(
        type(number) in (int, float) and 0 <= number <= largest and number == int(number)
        for number, largest in zip(entry, LARGEST)
    )
    return tuple(int(number) for number in entry) if fits else None
