"""Judges of open answers, 0 to 3 as in Robot-R1 section 3.4: one by stated rules, one that asks a language model.

`ReferenceJudge` needs nothing and always says the same. It reads the reference as it reads the answer, so whoever
corrects a reference corrects the truth. It knows English phrases and not their meaning: it is strict where GPT-4o
would be kind. `EndpointJudge` (module `endpoint`) asks any OpenAI-compatible server, as the paper asked GPT-4o.
"""

from collections.abc import Sequence

from robotr1.evaluation.judging.actions import parse_actions, sequence_likeness
from robotr1.evaluation.judging.directions import BOTH, HOLDS, STAY, TOUCHES, flipped, parse_axes, plain, yes_or_no
from robotr1.evaluation.judging.endpoint import EndpointJudge
from robotr1.evaluation.judging.lengths import lengths, the_length
from robotr1.evaluation.judging.rubric import NO_ANSWER, Case, Judge, Judgement

__all__ = ["Case", "EndpointJudge", "Judge", "Judgement", "ReferenceJudge"]

LIKENESS = (0.95, 0.6, 0.3)  # of action sequences: at least so much for 3, 2, 1
ERRORS = (0.10, 0.25, 0.50)  # of quantities, relative: at most so much for 3, 2, 1
LONGEST = 4000  # characters of an answer that are read


class ReferenceJudge:
    """Scores an answer against its reference by rules.

    - actions (planning, high_level): `actions.sequence_likeness` of at least 0.95, 0.6, 0.3 gives 3, 2, 1. A next step
      of one action thus gets 3 when the same, 2 with another goal or place, 1 with another verb on the same thing.
    - directions (movement, and relations between two things): 3 where the axes and their "slightly" are the same; 2
      where one small thing differs (a "slightly" on an axis that both have, a slight or additional axis); 1 where some
      axis is right, and more are right than wrong; else 0. An axis given both ways is wrong.
    - quantities: off by at most 10, 25, 50 percent gives 3, 2, 1. yes or no: 3 or 0.
    - the gripper at or holding a thing: 3 where the answer says the same, 2 for touching instead of holding.
    """

    name = "reference"

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        """One verdict a case. Raises ValueError for a reference that no rule can read: the item must be corrected."""
        return [self._judge_one(case) for case in cases]

    def _judge_one(self, case: Case) -> Judgement:
        if not (case.answer and case.answer.strip()):
            return NO_ANSWER
        rule = {"planning": actions, "high_level": actions, "movement": directions}.get(case.ability, relation)
        score, reason = rule(case.reference, case.answer[:LONGEST])
        return Judgement(score, "scored", reason)


def actions(reference: str, answer: str) -> tuple[int, str]:
    """Score one action or a sequence of them."""
    truth, told = parse_actions(reference), parse_actions(answer)
    if not truth:
        raise ValueError(f"no action can be read from the reference {reference!r}")
    likeness = sequence_likeness(truth, told)
    return _grade(likeness, LIKENESS), f"{len(told)} actions for {len(truth)}, likeness {likeness:.2f}"


def directions(reference: str, answer: str) -> tuple[int, str]:
    """Score a movement."""
    truth = parse_axes(reference)
    if not any(truth) and not STAY.search(plain(reference)):
        raise ValueError(f"no direction can be read from the reference {reference!r}")
    told = parse_axes(answer)
    if not any(truth):
        stays = bool(STAY.search(plain(answer))) and not any(told)
        return (3, "stays, as it should") if stays else (0, "should stay in place")
    return _compare(truth, told)


def relation(reference: str, answer: str) -> tuple[int, str]:
    """Score what is said of the scene: yes or no, a length, or where one thing is relative to another."""
    if (truth := yes_or_no(reference)) is not None:
        said = yes_or_no(answer)
        return (3 if said == truth else 0), {None: "says neither yes nor no, or both"}.get(said, f"says {said}")
    if lengths(reference):
        return _length(reference, answer)
    where, told = parse_axes(reference), parse_axes(answer)
    if any(where):
        if _is_inverted(reference, answer):
            told = flipped(told)
        return _compare(where, told)
    holds, touches = (bool(pattern.search(plain(reference))) for pattern in (HOLDS, TOUCHES))
    if not holds and not touches:
        raise ValueError(f"neither yes, no, length, direction nor contact can be read from {reference!r}")
    if any(told):
        return 0, "names a direction, where the two are together"
    says_held, says_touched = (bool(pattern.search(plain(answer))) for pattern in (HOLDS, TOUCHES))
    if says_held == holds and (holds or says_touched):
        return 3, "says the same contact"
    return (2, "says another contact") if says_held or says_touched else (0, "says no contact")


def _compare(truth: Sequence[int], told: Sequence[int]) -> tuple[int, str]:
    right = sum(bool(a) and b != BOTH and a * b > 0 for a, b in zip(truth, told))
    wrong = sum(b == BOTH or a * b < 0 for a, b in zip(truth, told))
    missing = sum(abs(a) == 2 and not b for a, b in zip(truth, told))
    small = sum(a != b and b != BOTH and a * b >= 0 and not (abs(a) == 2 and not b) for a, b in zip(truth, told))
    reason = f"axes: {right} right, {wrong} wrong, {missing} missing, {small} small differences"
    if not right or right <= wrong:
        return 0, reason
    if wrong or missing or small > 1:
        return 1, reason
    return (2 if small else 3), reason


def _length(reference: str, answer: str) -> tuple[int, str]:
    truth, told = the_length(reference), the_length(answer)
    if truth is None or truth == 0:
        raise ValueError(f"not one length above zero in the reference {reference!r}")
    if told is None:
        return 0, "states no length with a unit, or several"
    error = abs(told - truth) / truth
    return next((3 - n for n, most in enumerate(ERRORS) if error <= most + 1e-9), 0), f"off by {error:.0%}"


def _grade(value: float, least: Sequence[float]) -> int:
    return next((3 - n for n, limit in enumerate(least) if value >= limit - 1e-9), 0)


def _is_inverted(reference: str, answer: str) -> bool:
    """Whether the answer speaks of the two things in the other order: "the cup is below the gripper"."""
    words, told = plain(reference).replace(".", "").split(), plain(answer).replace(".", "").split()
    first, last = words[1] if words[0] == "the" else words[0], words[-1]
    return first in told and last in told and told.index(last) < told.index(first)
