"""Read clock directions from free text: "10 o'clock", "ten o’clock"."""

from collections.abc import Sequence

from robotr1.evaluation.judging.tokens import NUMBER_WORDS, Token, token_at, tokens

HOUR_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
HOURS = {word: hour for hour, word in enumerate(HOUR_WORDS, start=1)}
HOURS |= {str(hour): hour for hour in range(1, 13)}
LINKS = {"-", "~", "/", ":", ".", ",", "+", "or", "to", "and", "past", "till", "through"}  # between two numbers


def the_hour(text: str) -> int | None:
    """The one clock direction that `text` states, 1 to 12; None where there is none, several or an unreadable one."""
    hours = set(_hours(text))
    return hours.pop() if len(hours) == 1 else None


def _hours(text: str) -> list[int | None]:
    """The hour before every "o'clock", None where it is no whole hour from 1 to 12."""
    parts = tokens(text)
    return [_hour(parts, at - 1) for at in range(len(parts)) if _is_clock(parts, at)]


def _is_clock(parts: Sequence[Token], at: int) -> bool:
    texts = [token_at(parts, index).text for index in range(at, at + 3)]
    return texts[0] == "oclock" or texts[:2] == ["o", "clock"] or texts == ["o", "'", "clock"]


def _hour(parts: Sequence[Token], at: int) -> int | None:
    if token_at(parts, at).text == "-" and not parts[at].spaced:  # 3-o'clock
        at -= 1
    if [token_at(parts, index).text for index in (at - 1, at)] == [":", "00"]:  # 3:00 o'clock
        at -= 2
    hour, before, earlier = HOURS.get(token_at(parts, at).text), token_at(parts, at - 1), token_at(parts, at - 2)
    is_number = (
        before.kind == "number"
        or before.text in NUMBER_WORDS
        or before.text in ("minus", "past", "to", "till", "not", "never")
    )
    is_linked = before.text in LINKS and (earlier.kind == "number" or earlier.text in NUMBER_WORDS)
    is_attached = before.kind in ("word", "sign") and not parts[at].spaced and before.text not in "([{'\":=~<>*"
    return None if hour is None or is_number or is_linked or is_attached else hour
