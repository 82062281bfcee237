"""Read lengths from free text: "1.2 meters", "3 ft 2 in", "0,75 m", "1½ inches", "1,500 mm".

A wrong reading would score an answer that nobody gave. So a length is the right number or unreadable: ranges, signs,
powers, ambiguous numbers and numbers without a unit are never read as something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from robotr1.evaluation.judging.tokens import NUMBER_WORDS, Token, number, token_at, tokens

SPELLINGS = {
    1e-9: "nanometer nanometers nanometre nanometres nm",
    1e-6: "micrometer micrometers micrometre micrometres micron microns μm um",
    0.001: "millimeter millimeters millimetre millimetres mm mms",
    0.01: "centimeter centimeters centimetre centimetres cm cms",
    0.0254: 'inch inches in "',
    0.1: "decimeter decimeters decimetre decimetres dm",
    0.3048: "foot feet ft '",
    0.9144: "yard yards yd yds",
    1.0: "meter meters metre metres m mtr mtrs",
    1000.0: "kilometer kilometers kilometre kilometres km kms",
    1609.344: "mile miles mi",
}
METRES = {word: metres for metres, words in SPELLINGS.items() for word in words.split()}
# "3 in" is a length before these words, and before a sign; "3 in front" is none.
AFTER_INCH = {
    "wide",
    "tall",
    "high",
    "long",
    "deep",
    "thick",
    "broad",
    "apart",
    "away",
    "across",
    "from",
    "to",
    "by",
    "x",
}
AFTER_INCH |= {"or", "and"}
POWERS = {"^", "squared", "cubed", "per"}  # after a unit: areas, volumes and speeds
FRACTIONS = {"half", "quarter", "quarters", "third", "thirds"}
RANGES = {"-", "~", "to", "through", "until", "till", "x", "by", "*", "+", "±", "versus", "vs"}  # and products
NAMES = {"region", "regions", "object", "box", "item"}  # a number after these is a name


@dataclass(frozen=True)
class _Length:
    """The tokens [start, end) of one length; `metres` is None where it is unreadable."""

    start: int
    end: int
    unit: float  # metres
    metres: float | None


def lengths(text: str) -> list[float]:
    """Every readable length in `text`, in metres, in order. "5 feet 3 inches" and "1 m 80 cm" are one length each."""
    return [length.metres for length in _lengths(text) if length.metres is not None]


def the_length(text: str) -> float | None:
    """The one length that `text` states, in metres.

    None where there is none, where one is unreadable, and where several differ by more than a tenth.
    """
    found = [length.metres for length in _lengths(text)]
    if not found or None in found or max(found) > 1.1 * min(found):
        return None
    return found[0]


def _lengths(text: str) -> list[_Length]:
    parts = tokens(text)
    quoted = _quoted(parts)
    found = []
    for index, part in enumerate(parts):
        if part.kind == "number" and (unit := _unit(parts, index, quoted)):
            end, metres = unit
            start, value = _value(parts, index)
            found.append(_Length(start, end, metres, None if value is None else value * metres))
    starts = {length.start for length in found}
    return _joined(parts, [replace(x, metres=None) if _continues(parts, x.end, starts) else x for x in found])


def _quoted(parts: Sequence[Token]) -> list[bool]:
    """Whether a quotation mark at each token would close an opened one: in 'it is "3"' the last sign is no inch."""
    opened, quoted = {}, []
    for index, part in enumerate(parts):
        quoted.append(opened.get(part.text, False))
        if part.text in ("'", '"'):
            opened[part.text] = part.spaced or token_at(parts, index - 1).kind not in ("word", "number")
    return quoted


def _unit(parts: Sequence[Token], at: int, quoted: Sequence[bool]) -> tuple[int, float] | None:
    """(end, metres) of the unit that follows the number at an index, None where there is none."""
    hyphen = token_at(parts, at + 1).text == "-"  # 2-meter
    end = at + 2 + hyphen
    token, after = token_at(parts, end - 1), token_at(parts, end)
    if token.text not in METRES or (hyphen and (parts[at + 1].spaced or token.spaced)):
        return None
    if token.text in ("'", '"') and (
        hyphen or token.spaced or quoted[end - 1] or (after.kind == "word" and not after.spaced)
    ):
        return None
    is_inch = after.kind == "end" or after.text in AFTER_INCH or (after.kind == "sign" and after.text != "[")
    if token.text == "in" and (hyphen or not is_inch):
        return None
    return end, METRES[token.text]


def _value(parts: Sequence[Token], at: int) -> tuple[int, float | None]:
    """(first token, value) of the number, fraction or mixed number that ends at an index."""
    text, before = parts[at].text, token_at(parts, at - 1)
    value = number(text)
    if before.text == "/" and token_at(parts, at - 2).kind == "number":  # 1/2
        at -= 2
        value = None if before.spaced else _ratio(parts[at].text, text)
        link = token_at(parts, at - 1)
        whole = at - 1 if link.kind == "number" else at - 2
        if token_at(parts, whole).kind == "number" and (link.kind == "number" or link.text in ("-", "and")):  # 1 1/2
            is_mixed = value is not None and value < 1 and parts[whole].text.isdigit() and len(parts[whole].text) <= 6
            is_mixed = is_mixed and not (link.text == "-" and (link.spaced or parts[at].spaced))
            at, value = whole, int(parts[whole].text) + value if is_mixed else None
    elif before.kind == "number" and text.isdigit() and len(text) == 3:  # 1 500
        groups = [text]
        while len(groups[0]) == 3 and len(groups) < 4 and before.text.isdigit() and len(before.text) <= 3:
            at, groups = at - 1, [before.text, *groups]
            before = token_at(parts, at - 1)
        is_name = groups[0].startswith("0") or token_at(parts, at - 1).text in NAMES
        value = None if is_name else float("".join(groups))
    return (at, None) if _is_part(parts, at) else (at, value)


def _ratio(over: str, under: str) -> float | None:
    usable = over.isdigit() and under.isdigit() and max(len(over), len(under)) <= 3 and int(under) > 0
    return int(over) / int(under) if usable else None


def _is_part(parts: Sequence[Token], at: int) -> bool:
    """Whether a number is negative, the end of a range or product, or a part of another number."""
    before, earlier, attached = token_at(parts, at - 1), token_at(parts, at - 2), not parts[at].spaced
    counted = earlier.kind == "number" or earlier.text in NUMBER_WORDS
    measured = earlier.text in METRES and token_at(parts, at - 3).kind in ("number", "sign")
    if before.kind == "number" or before.text in NUMBER_WORDS or before.text in ("minus", "negative", "not", "never"):
        return True
    if before.kind == "word" and attached:  # x2, but not 1m80cm
        return before.text not in METRES or earlier.kind != "number"
    if before.text == "-":
        return attached or counted or measured
    if before.text == "." and attached:  # 1..2
        return True
    if before.text in (".", ","):  # 1, 5 m; but not a list's "1. 5 m"
        is_listed = earlier.starts_line and before.text == "." and earlier.text != "0"
        return earlier.kind == "number" and not is_listed and token_at(parts, at - 3).text not in NAMES
    if before.text in ("or", "and", "/", ":"):
        return counted and (before.text != ":" or attached)
    return before.text in ("^", "±", "$", "€", "£", "#") or (before.text in RANGES and (counted or measured))


def _continues(parts: Sequence[Token], end: int, starts: set[int]) -> bool:
    """Whether a unit is followed by a power or by a number that belongs to it: 2 m², 2 m/s, 1 m 80, 2 m and a half."""
    after, later = token_at(parts, end), token_at(parts, end + 1)
    if after.text in POWERS or (after.text == "/" and later.kind == "word"):
        return True
    if after.text == "and":
        return bool({later.text, token_at(parts, end + 2).text} & FRACTIONS)
    follows = end if after.kind == "number" else end + 1 if after.text in RANGES | {"or", "/"} else None
    return follows is not None and token_at(parts, follows).kind == "number" and follows not in starts


def _joined(parts: Sequence[Token], found: Sequence[_Length]) -> list[_Length]:
    """Sum feet and their inches, metres and their centimetres; the two ends of a range become unreadable."""
    result: list[_Length] = []
    for length in found:
        last = result[-1] if result else None
        between = [token.text for token in parts[last.end : length.start]] if last else []
        if last is None or len(between) > 2:
            result.append(length)
            continue
        is_rest = length.unit < last.unit and (length.metres is None or length.metres < last.unit)
        is_listed = set(between) <= {",", "and", "."}
        feet_and_inches = (last.unit, length.unit) == (METRES["ft"], METRES["in"])
        if is_rest and (not between or (is_listed and feet_and_inches)):
            total = None if None in (last.metres, length.metres) else last.metres + length.metres
            result[-1] = _Length(last.start, length.end, length.unit, total)
            continue
        is_range = between == ["and"] and token_at(parts, last.start - 1).text == "between"
        if (is_rest and is_listed) or is_range or set(between) & RANGES:
            result[-1], length = replace(last, metres=None), replace(length, metres=None)
        result.append(length)
    return result
