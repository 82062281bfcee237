"""Parse and score progress answers: `<think> … </think> <answer> right, 40 % </answer>`.

The question shows two frames of one episode side by side. The answer names the later one (left or right) and the task's
progress in the right one, 0 to 100 %.
"""

import re

from robotr1.questions.answers import answer_body, sole_answer

SIDES = ("left", "right")

_PROGRESS = re.compile(r"\s*(left|right)\s*,\s*([0-9]{1,3}(?:\.[0-9]{0,9})?)\s*%\s*")


def parse_progress(completion: str) -> tuple[str, float] | None:
    """The later side and the progress in percent inside the one <answer>, or None.

    Takes time linear in the text and raises nothing.
    """
    return _progress(answer_body(completion))


def is_progress_formatted(completion: str) -> bool:
    """Whether the whole completion is one thought, not empty, and one answer with a side and 0 to 100 %."""
    return _progress(sole_answer(completion)) is not None


def _progress(body: str | None) -> tuple[str, float] | None:
    match = _PROGRESS.fullmatch(body or "")
    return (match[1], float(match[2])) if match and float(match[2]) <= 100 else None
