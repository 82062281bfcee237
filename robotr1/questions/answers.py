"""Parse a completion: the chosen letter, its format, the thought, an open answer.

A completion is untrusted text of any length: every function takes time linear in it and raises nothing.
"""

import re
from functools import cache

TAGS = ("<think>", "</think>", "<answer>", "</answer>")
POSITION_SIZE, EXTENDED_SIZE = 3, 7  # numbers of a state

_LETTER = re.compile(r"\s*\[\[([A-Z])\]\]\s*")
NUMBER = r"\s*([-+]?(?:[0-9]{1,9}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}))\s*"


def parse_answer(completion: str) -> str | None:
    """Return the letter of the one answer, or None.

    The completion must contain exactly one <answer> … </answer>, after any thinking, with `[[X]]` and nothing else
    inside. Two answers, two letters, a bare letter or an answer inside the thinking count as none.
    """
    body = answer_body(completion)
    match = _LETTER.fullmatch(body) if body is not None else None
    return match.group(1) if match else None


def is_formatted(completion: str) -> bool:
    """Whether the whole completion is `<think> … </think> <answer> [[X]] </answer>`, the thought not empty."""
    body = sole_answer(completion)
    return body is not None and bool(_LETTER.fullmatch(body))


def is_open_formatted(completion: str, size: int = POSITION_SIZE) -> bool:
    """Whether the whole completion is `<think> … </think> <answer> [x, y, z] </answer>`, the thought not empty.

    `size` is how many numbers the state has.
    """
    body = sole_answer(completion)
    return body is not None and bool(_state_pattern(size).fullmatch(body.strip()))


def thought(completion: str) -> str:
    """Return the text between <think> and </think>, stripped; empty when there is none."""
    _, opening, rest = completion.partition("<think>")
    inside, closing, _ = rest.partition("</think>")
    return inside.strip() if opening and closing else ""


def parse_state(text: str, size: int = POSITION_SIZE) -> list[float] | None:
    """Return the last state in an open answer, `size` numbers (a position: [x, y, z] in metres), or None.

    It is read inside <answer> … </answer> if the text has one, otherwise after the last "Answer:" if it has one,
    otherwise anywhere. The last bracket with exactly `size` plain numbers counts.
    """
    if "<answer>" in text:
        text = answer_body(text) or ""
    states = _state_pattern(size).findall(text.rpartition("Answer:")[2])
    return [float(number) for number in states[-1]] if states else None


def parse_position(text: str) -> list[float] | None:
    """Return [x, y, z] of the last position or, where there is none, of the last extended state; or None.

    It is read inside <answer> … </answer> and after "Answer:" as `parse_state` does.
    """
    return parse_state(text) or (parse_state(text, EXTENDED_SIZE) or [])[:POSITION_SIZE] or None


@cache
def _state_pattern(size: int) -> re.Pattern[str]:
    return re.compile(rf"\[{','.join([NUMBER] * size)}\]")


def answer_body(completion: str) -> str | None:
    """The text of the one <answer> … </answer> after any thinking, or None where there is not exactly one."""
    if completion.count("<answer>") != 1 or completion.count("</answer>") != 1:
        return None
    conclusion = completion.rpartition("</think>")[2]
    _, opening, rest = conclusion.partition("<answer>")
    body, closing, _ = rest.partition("</answer>")
    return body if opening and closing else None


def sole_answer(completion: str) -> str | None:
    """The text inside <answer> where the completion is one thought, not empty, and one answer; else None."""
    completion = completion.strip()
    if any(completion.count(tag) != 1 for tag in TAGS) or not thought(completion):
        return None
    body = answer_body(completion)
    between = completion.partition("</think>")[2].partition("<answer>")[0]
    whole = completion.startswith("<think>") and completion.endswith("</answer>") and not between.strip()
    return body if whole else None
