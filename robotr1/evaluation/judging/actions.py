"""Read actions from free text: "1. Move above the cup, 2. grasp it" becomes verbs with their objects."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from robotr1.evaluation.judging.directions import plain

VERBS = {  # the words and phrases (without articles) of each verb; phrases win over their first word
    "move": "move go reach approach position align navigate bring carry transport travel hover",
    "grasp": "grasp grab grip pick take seize hold clasp take_hold close_gripper close_finger",
    "lift": "lift raise hoist pick_up take_off",
    "release": "release ungrasp let_go let_it_go open_gripper open_finger",
    "press": "press push depress",
    "put": "put place lay set insert stack lower set_down put_down",
    "drop": "drop throw toss",
    "turn": "turn rotate twist screw tighten",
    "pull": "pull slide open drag",
}
SYNONYMS = {
    "handset": "phone",
    "telephone": "phone",
    "cap": "lid",
    "cover": "lid",
    "paper": "rubbish",
    "trash": "rubbish",
    "garbage": "rubbish",
    "waste": "rubbish",
    "litter": "rubbish",
    "basket": "bin",
    "can": "bin",
    "mug": "cup",
    "cradle": "base",
    "dock": "base",
    "light": "lamp",
    "pan": "saucepan",
    "pot": "saucepan",
    "cube": "block",
    "slot": "hole",
    "knob": "lid",  # grasping a part is grasping the object
    "handle": "drawer",
    "1st": "first",
    "2nd": "second",
    "3rd": "third",
    "4th": "fourth",
}
OBJECTS = {"cup", "button", "lid", "saucepan", "lamp", "rubbish", "bin", "phone", "base", "drawer", "shape", "hole"}
OBJECTS |= {"sorter", "jar", "block", "platform"}
PLACES = {"above", "front", "up", "first", "second", "third", "fourth"}
_ARTICLES = {"a", "an", "the", "robot", "arm", "its", "your"}
_DENIALS = {"not", "never", "without", "avoid", "no"}


@dataclass(frozen=True)
class Action:
    """A verb, its object ("" where none is named), and the rest that matters: goals, places, ordinals.

    The object of a "move" is its goal.
    """

    verb: str
    object: str
    rest: frozenset[str]


def parse_actions(text: str) -> list[Action]:
    """The actions in `text`, in order. "it" is the object named before; denied actions are left out.

    >>> parse_actions("1. Move above the cup. 2. Grasp it.")[1].object
    'cup'
    """
    words = [_LEMMAS.get(word, word) for word in re.findall(r"[a-z0-9]+", plain(text)) if word not in _ARTICLES]
    starts = []  # (index of the verb, index after it, verb)
    index = 0
    while index < len(words):
        length = next((n for n in (3, 2, 1) if "_".join(words[index : index + n]) in _PHRASES), 0)
        if length:
            starts.append((index, index + length, _PHRASES["_".join(words[index : index + length])]))
        index += length or 1
    actions: list[Action] = []
    last = ""
    for (at, after, verb), (end, *_) in zip(starts, [*starts[1:], (len(words),)]):
        named = [SYNONYMS.get(_singular(word), _singular(word)) for word in words[after:end]]
        named = [word for word, after in zip(named, [*named[1:], ""]) if (word, after) != ("rubbish", "bin")]
        objects = list(dict.fromkeys(word for word in named if word in OBJECTS))
        if {"it", "them"} & set(named[:1]) and last:
            objects = [last, *objects]
        last = objects[0] if objects else last
        if verb == "move":
            objects = objects[-1:]  # the goal, and not the object that is carried there
        first = objects[0] if objects else ""
        rest = frozenset(objects[1:]) | (PLACES & set(named))
        if verb == "grasp" and "up" in rest:  # "pick it up"
            verb, rest = "lift", rest - {"up"}
        repeats = bool(actions) and verb == actions[-1].verb and not first  # "pull the drawer open"
        if not repeats and not _DENIALS & set(words[max(0, at - 2) : at]):
            actions.append(Action(verb, first, rest))
    return actions


def likeness(one: Action, other: Action) -> float:
    """How alike two actions are: 1 the same, 2/3 with another goal or place, 1/3 with another verb, else 0.

    "release" needs no object: the gripper releases the one that it holds.
    """
    if one.verb == other.verb == "release":
        return 1.0
    same = one.rest | {one.object} == other.rest | {other.object}
    if not one.object or (one.object != other.object and not same):
        return 0.0
    if one.verb != other.verb:
        return 1 / 3
    return 1.0 if same else 2 / 3


def sequence_likeness(truth: Sequence[Action], answer: Sequence[Action]) -> float:
    """How alike two sequences of actions are, in [0, 1]: twice the best common likeness over the sum of both lengths.

    The best common likeness is that of a longest common subsequence whose pairs count by their likeness. Missing,
    superfluous and swapped steps all lower it; it is 1 only where both sequences are the same.
    """
    if not truth or not answer:
        return 0.0
    best = [[0.0] * (len(answer) + 1) for _ in range(len(truth) + 1)]
    for i, one in enumerate(truth):
        for j, other in enumerate(answer):
            best[i + 1][j + 1] = max(best[i][j] + likeness(one, other), best[i][j + 1], best[i + 1][j])
    return 2 * best[-1][-1] / (len(truth) + len(answer))


def _inflections(verb: str) -> list[str]:
    stem = verb[:-1] if verb.endswith("e") else verb
    doubled = stem + stem[-1]
    return [verb, f"{verb}s", f"{verb}es", f"{stem}ed", f"{stem}ing", f"{doubled}ed", f"{doubled}ing"]


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and word[:-1] in OBJECTS | set(SYNONYMS) else word


_PHRASES = {phrase: verb for verb, phrases in VERBS.items() for phrase in phrases.split()}
_LEMMAS = {form: word for phrase in _PHRASES for word in phrase.split("_") for form in _inflections(word)}
_LEMMAS |= {"laid": "lay", "held": "hold", "taken": "take", "fingers": "finger"}
