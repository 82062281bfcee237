"""Read directions and relations from free text, as levels on the three axes of the front view.

As in `questions.movement`: 0 is no word, ±1 a "slightly" word, ±2 a full word; +x is toward the camera (forward, in
front), +y right, +z up (above). An axis with both directions is a contradiction and has the level `BOTH`.
"""

import re

BOTH = 9  # the level of an axis with words for both directions
Axes = tuple[int, int, int]

_WORDS = {
    (0, 1): r"forwards?|in front|(?:the )?front|toward(?:s)? (?:the )?(?:camera|viewer)|"
    r"(?:closer|nearer) to (?:the )?(?:camera|viewer)",
    (0, -1): r"backwards?|behind|back|rear|away from (?:the )?(?:camera|viewer)|"
    r"(?:farther|further)(?: away)? from (?:the )?(?:camera|viewer)",
    (1, 1): r"right(?:wards?)?",
    (1, -1): r"left(?:wards?)?",
    (2, 1): r"up(?:wards?)?|above|over|on top|higher|raise",
    (2, -1): r"down(?:wards?)?|below|beneath|under(?:neath)?|lower|descend",
}
# "right above" and "straight down" name no side, nor do "the right one" and "left to do".
_EXACTLY = re.compile(
    r"\b(?:right|straight|directly|just) (?=above|below|over|under|behind|in front|on top|beneath|down|up)"
)
_NO_SIDE = re.compile(r"\b(?:the right (?:one|answer|way)|left to do|pick(?:s|ed|ing)? up|front camera|front view)\b")
_PATTERN = re.compile(
    r"(?P<no>\b(?:not|never|neither|nor|no|without|n't)\s+(?:\w+\s+){0,2}?)?"
    r"(?P<little>\b(?:slightly|a (?:little|bit)|marginally)\s+(?:\w+\s+){0,3}?)?(?:"
    + "|".join(rf"(?P<a{axis}{'p' if sign > 0 else 'n'}>\b(?:{words})\b)" for (axis, sign), words in _WORDS.items())
    + ")"
)
STAY = re.compile(r"\b(?:stays? (?:in place|still)|no movement|do(?:es)? not move|remain|at the same place)\b")
HOLDS = re.compile(
    r"\b(?:hold(?:s|ing)?|grasp(?:s|ed|ing)?|grip(?:s|ped|ping)|in (?:the|its) (?:gripper|hand|grasp))\b"
)
TOUCHES = re.compile(r"\b(?:at|touch(?:es|ing)?|contact|around|aligned with)\b")


def plain(text: str) -> str:
    """Lower case, single spaces, no markup; all parsers of answers start with this."""
    return " ".join(re.sub(r"[*_#`\"]", " ", text.lower().replace("n't", " not")).split())


def parse_axes(text: str) -> Axes:
    """The levels of all direction words in `text`; denied ones ("not to the left") do not count.

    >>> parse_axes("slightly move forward and move down")
    (1, 0, -2)
    """
    text = _NO_SIDE.sub(" ", _EXACTLY.sub("", plain(text)))
    levels = [0, 0, 0]
    for match in _PATTERN.finditer(text):
        if match["no"]:
            continue
        name = next(name for name, word in match.groupdict().items() if word and name not in ("no", "little"))
        axis, level = int(name[1]), (1 if match["little"] else 2) * (1 if name[2] == "p" else -1)
        if levels[axis] and (levels[axis] == BOTH or levels[axis] * level < 0):
            levels[axis] = BOTH
        elif abs(level) > abs(levels[axis]):
            levels[axis] = level
    return levels[0], levels[1], levels[2]


def flipped(axes: Axes) -> Axes:
    """The relation seen from the other object: "above" becomes "below"."""
    x, y, z = (level if level == BOTH else -level for level in axes)
    return x, y, z


def yes_or_no(text: str) -> bool | None:
    """Whether a text says yes or no; None where it says neither or both."""
    said = set(re.findall(r"\b(yes|no|yeah|nope|correct|incorrect|true|false)\b", plain(text)))
    yes, no = said & {"yes", "yeah", "correct", "true"}, said & {"no", "nope", "incorrect", "false"}
    return bool(yes) if bool(yes) != bool(no) else None
