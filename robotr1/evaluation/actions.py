"""Actions in free text: "1. Move above the cup, 2. grasp it" as verbs with the words that they act on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from robotr1.evaluation.directions import plain

# Longer phrases first: "pick up" lifts, "pick" grasps.
VERBS = {
    "lift": r"lift|raise|pick up|take off|hoist",
    "release": r"let go(?: of)?|release|open the gripper|ungrasp",
    "grasp": r"grasp|grab|grip|pick|take hold of|take|seize|close the gripper(?: on| around)?|hold",
    "move": r"move|go|reach|approach|position|align|navigate|bring|carry|transport|travel|hover",
    "press": r"press|push",
    "put": r"put|place|lay|set(?: down)?|lower|stack|insert",
    "drop": r"drop|throw|toss",
    "turn": r"turn|rotate|twist|screw|tighten",
    "pull": r"pull|slide|open|drag",
}
SAME_THING = {
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
    "cube": "block",
    "slot": "hole",
    "opening": "hole",
}
ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth"}
_EMPTY = set(
    "a an the and then to it its them of on onto in into at for with by from until next now finally after before "
    "above over up down off away front gripper robot arm hand should must will would be is are s slightly carefully "
    "so that this will i you we will need needs first second third fourth step steps towards toward back".split()
) - {"first", "second", "third", "fourth", "above"}
_FORMS = "(?:s|es|ed|d|ing|ping|ting|ning)?"
_VERB = re.compile(
    r"(?P<no>\b(?:not|never|without|avoid)\s+(?:\w+\s+)?)?\b(?:"
    + "|".join(
        rf"(?P<{verb}>(?:{'|'.join(_inflected for _inflected in (re.sub(r'^([a-z]+)', rf'\1{_FORMS}', p) for p in forms.split('|')))}))"
        for verb, forms in VERBS.items()
    )
    + r")\b"
)
