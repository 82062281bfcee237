"""Read what a policy wrote: the chosen letter, the form, the thought, an open answer."""

import re

TAGS = ("<think>", "</think>", "<answer>", "</answer>")

_FORM = re.compile(r"<think>(.*)</think>\s*<answer>\s*\[\[[A-Z]\]\]\s*</answer>", re.DOTALL)
_LETTER = re.compile(r"\s*\[\[([A-Z])\]\]\s*")
_NUMBER = r"\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*"
_TRIPLE = re.compile(rf"\[{_NUMBER},{_NUMBER},{_NUMBER}\]")


def parse_answer(completion: str) -> str | None:
    """Return the letter of the one answer, or None.

    The completion must hold exactly one <answer> … </answer>, after any thinking, with `[[X]]` and nothing else
    inside. Two answers, two letters, a bare letter or an answer inside the thinking count as none.
    """
    body = _answer_body(completion)
    match = _LETTER.fullmatch(body) if body is not None else None
    return match.group(1) if match else None


def is_formatted(completion: str) -> bool:
    """Whether the whole completion is `<think> … </think> <answer> [[X]] </answer>`, the thought not empty."""
    if any(completion.count(tag) != 1 for tag in TAGS):
        return False
    match = _FORM.fullmatch(completion.strip())
    return bool(match and match.group(1).strip())


def thought(completion: str) -> str:
    """Return the text between <think> and </think>, stripped; empty when there is none."""
    _, opening, rest = completion.partition("<think>")
    inside, closing, _ = rest.partition("</think>")
    return inside.strip() if opening and closing else ""


def parse_state(text: str) -> list[float] | None:
    """Return the position [x, y, z] in metres that an open answer ends with, or None.

    Read inside <answer> … </answer> when the text has one, else after the last "Answer:" when it has one, else
    anywhere; the last bracketed triple of plain numbers counts.
    """
    if "<answer>" in text:
        text = _answer_body(text) or ""
    triples = _TRIPLE.findall(text.rpartition("Answer:")[2])
    return [float(number) for number in triples[-1]] if triples else None


def _answer_body(completion: str) -> str | None:
    if completion.count("<answer>") != 1 or completion.count("</answer>") != 1:
        return None
    conclusion = completion.rpartition("</think>")[2]
    _, opening, rest = conclusion.partition("<answer>")
    body, closing, _ = rest.partition("</answer>")
    return body if opening and closing else None
