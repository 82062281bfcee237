"""Shared parts of all judges of open answers: the case, the verdict, and the judged part of a completion.

Robot-R1 section 3.4: an answer scores 0 (another meaning), 1 (partly right), 2 (right with small differences) or 3 (the
same, or more exact), and only the text inside <answer> is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Ability = Literal["planning", "high_level", "movement", "spatial"]
ABILITIES: tuple[Ability, ...] = ("planning", "high_level", "movement", "spatial")
BEST = 3
Status = Literal["scored", "no_answer", "judge_failed"]


@dataclass(frozen=True, slots=True)
class Case:
    """One answer to judge; `answer` is None where the completion holds none."""

    ability: Ability
    question: str
    reference: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict. `score` is 0 to 3, or None where the judge failed.

    A missing answer scores 0 like a wrong one; `status` tells them apart.
    """

    score: int | None
    status: Status
    reason: str


NO_ANSWER = Judgement(0, "no_answer", "there is no text inside one <answer> … </answer>")


class Judge(Protocol):
    """Scores answers: one verdict per case, in their order; a case that fails does not stop the others."""

    name: str

    def judge(self, cases: Sequence[Case]) -> list[Judgement]: ...


def answer_text(completion: str) -> str | None:
    """The text inside the one <answer> … </answer> after the thinking; None where there is none, or two.

    Completions are untrusted: this takes linear time and raises nothing.
    """
    conclusion = completion.rpartition("</think>")[2]
    if completion.count("<answer>") != 1 or conclusion.count("</answer>") != 1:
        return None
    _, opening, rest = conclusion.partition("<answer>")
    body, closing, _ = rest.partition("</answer>")
    return (body.strip() or None) if opening and closing else None
