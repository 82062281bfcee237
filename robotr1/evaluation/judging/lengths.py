"""Read lengths and clock directions from free text: "1.2 meters", "3 ft 2 in", "48 cm", "10 o'clock"."""

import re

METRES = {
    "millimeter": 0.001,
    "mm": 0.001,
    "centimeter": 0.01,
    "cm": 0.01,
    "meter": 1.0,
    "m": 1.0,
    "inch": 0.0254,
    "in": 0.0254,
    "foot": 0.3048,
    "ft": 0.3048,
    "yard": 0.9144,
    "yd": 0.9144,
}
SPELLINGS = {
    "millimetre": "millimeter",
    "centimetre": "centimeter",
    "metre": "meter",
    "inche": "inch",
    "feet": "foot",
    '"': "inch",
    "'": "foot",
    "”": "inch",
    "’": "foot",
}

_NUMBER = r"[0-9]{1,9}(?:,[0-9]{3})*(?:\.[0-9]{1,12})?|\.[0-9]{1,12}"
_UNIT = (
    r"millimet(?:er|re)s?|centimet(?:er|re)s?|met(?:er|re)s?|inch(?:es)?|feet|foot|yards?|mm|cm|ft|yd|"
    r"in(?!\s+[a-z])|m|[\"'”’]"
)
_LENGTH = re.compile(rf"(?<![\w.])(-?)({_NUMBER})[ -]?\s?({_UNIT})(?![\w])", re.IGNORECASE)
_FEET_AND_INCHES = re.compile(
    rf"(?<![\w.])({_NUMBER})\s?(?:feet|foot|ft|['’])(?:\s|,|and)*({_NUMBER})\s?(?:inch(?:es)?|in|[\"”])(?!\w)", re.I
)
_CLOCK = re.compile(r"(?<![\d.])(1[0-2]|[1-9])\s?(?:o\s?['’]?\s?clock)", re.IGNORECASE)
_WORD_HOURS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_WORD_CLOCK = re.compile(rf"\b({'|'.join(_WORD_HOURS)})\s+o\s?['’]?\s?clock", re.IGNORECASE)


def lengths(text: str) -> list[float]:
    """Every length with a unit in `text`, in metres, in order; negative ones are left out.

    A number without a unit is no length. "5 feet 3 inches" is one length.
    """
    text = _FEET_AND_INCHES.sub(lambda match: f"{12 * _number(match[1]) + _number(match[2])} inches", text)
    return [_number(number) * METRES[_unit(unit)] for sign, number, unit in _LENGTH.findall(text) if not sign]


def the_length(text: str) -> float | None:
    """The one length that `text` states, in metres; None for none, or several that differ by more than a tenth."""
    found = lengths(text)
    if not found or max(found) > 1.1 * min(found):
        return None
    return found[0]


def clock_hours(text: str) -> list[int]:
    """Every clock direction ("10 o'clock") in `text`, 1 to 12."""
    return [int(hour) for hour in _CLOCK.findall(text)] + [
        _WORD_HOURS.index(word.lower()) + 1 for word in _WORD_CLOCK.findall(text)
    ]


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _unit(text: str) -> str:
    unit = text.lower()
    unit = unit[:-1] if unit.endswith("s") else unit
    return SPELLINGS.get(unit, unit)
