"""Judge open answers by stated rules, 0 to 3 as in Robot-R1 section 3.4.

The rules are free and deterministic. They parse the reference like the answer, so a corrected reference is a corrected
truth. They know English phrases and not their meaning, which makes them stricter than GPT-4o, the paper's judge.
"""

from collections.abc import Sequence

from robotr1.evaluation.judging.actions import parse_actions, sequence_likeness
from robotr1.evaluation.judging.directions import BOTH, HOLDS, STAY, TOUCHES, flipped, parse_axes, plain, yes_or_no
from robotr1.evaluation.judging.lengths import lengths, the_length
from robotr1.evaluation.judging.rubric import NO_ANSWER, Case, Judgement

LIKENESS = (0.95, 0.6, 0.3)  # of action sequences: the minimum for 3, 2, 1
ERRORS = (0.10, 0.25, 0.50)  # of lengths, relative: the maximum for 3, 2, 1
LONGEST = 4000  # characters; the rest of an answer is not read


class ReferenceJudge:
    """Scores an answer against its reference by rules.

    - actions (planning, high_level): `actions.sequence_likeness` of at least 0.95, 0.6, 0.3 gives 3, 2, 1. A next step
      of one action thus gets 3 when the same, 2 with another goal or place, 1 with another verb on the same object.
    - directions (movement, and relations between two objects): 3 where the axes and their "slightly" are the same; 2
      with one small difference (a "slightly" on an axis of both, a slight or additional axis); 1 where some axis is
      right, and more are right than wrong; else 0. An axis with both directions is wrong.
    - lengths: an error of at most 10, 25, 50 percent gives 3, 2, 1. yes or no: 3 or 0.
    - the gripper at or holding an object: 3 for the same contact, 2 for touching instead of holding.
    """

    name = "reference"

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        """One verdict per case. Raises ValueError for a reference that no rule can read; correct the item then."""
        return [self._judge_one(case) for case in cases]

    def _judge_one(self, case: Case) -> Judgement:
        if not (case.answer and case.answer.strip()):
            return NO_ANSWER
        rule = {"planning": actions, "high_level": actions, "movement": directions}.get(case.ability, relation)
        score, reason = rule(case.reference, case.answer[:LONGEST])
        return Judgement(score, "scored", reason)


def actions(reference: str, answer: str) -> tuple[int, str]:
    """Score one action or a sequence of them."""
    truth, said = parse_actions(reference), parse_actions(answer)
    if not truth:
        raise ValueError(f"no action can be read from the reference {reference!r}")
    likeness = sequence_likeness(truth, said)
    return _grade(likeness, LIKENESS), f"{len(said)} actions for {len(truth)}, likeness {likeness:.2f}"


def directions(reference: str, answer: str) -> tuple[int, str]:
    """Score a movement."""
    truth = parse_axes(reference)
    if not any(truth) and not STAY.search(plain(reference)):
        raise ValueError(f"no direction can be read from the reference {reference!r}")
    said = parse_axes(answer)
    if not any(truth):
        stays = bool(STAY.search(plain(answer))) and not any(said)
        return (3, "stays, as it should") if stays else (0, "should stay in place")
    return _compare(truth, said)


def relation(reference: str, answer: str) -> tuple[int, str]:
    """Score a spatial answer: yes or no, a length, or where one object is relative to another."""
    if (truth := yes_or_no(reference)) is not None:
        claim = yes_or_no(answer)
        return (3 if claim == truth else 0), {None: "says neither yes nor no, or both"}.get(claim, f"says {claim}")
    if lengths(reference):
        return _length(reference, answer)
    where, said = parse_axes(reference), parse_axes(answer)
    if any(where):
        if _is_inverted(reference, answer):
            said = flipped(said)
        return _compare(where, said)
    holds, touches = (bool(pattern.search(plain(reference))) for pattern in (HOLDS, TOUCHES))
    if not holds and not touches:
        raise ValueError(f"neither yes, no, length, direction nor contact can be read from {reference!r}")
    if any(said):
        return 0, "names a direction, where the two are together"
    says_held, says_touched = (bool(pattern.search(plain(answer))) for pattern in (HOLDS, TOUCHES))
    if says_held == holds and (holds or says_touched):
        return 3, "says the same contact"
    return (2, "says another contact") if says_held or says_touched else (0, "says no contact")


def _compare(truth: Sequence[int], said: Sequence[int]) -> tuple[int, str]:
    right = sum(bool(a) and b != BOTH and a * b > 0 for a, b in zip(truth, said))
    wrong = sum(b == BOTH or a * b < 0 for a, b in zip(truth, said))
    missing = sum(abs(a) == 2 and not b for a, b in zip(truth, said))
    small = sum(a != b and b != BOTH and a * b >= 0 and not (abs(a) == 2 and not b) for a, b in zip(truth, said))
    reason = f"axes: {right} right, {wrong} wrong, {missing} missing, {small} small differences"
    if not right or right <= wrong:
        return 0, reason
    if wrong or missing or small > 1:
        return 1, reason
    return (2 if small else 3), reason


def _length(reference: str, answer: str) -> tuple[int, str]:
    truth, said = the_length(reference), the_length(answer)
    if truth is None or truth == 0:
        raise ValueError(f"not one length above zero in the reference {reference!r}")
    if said is None:
        return 0, "states no length with a unit, or several"
    error = abs(said - truth) / truth
    return next((3 - n for n, most in enumerate(ERRORS) if error <= most + 1e-9), 0), f"off by {error:.0%}"


def _grade(value: float, least: Sequence[float]) -> int:
    return next((3 - n for n, limit in enumerate(least) if value >= limit - 1e-9), 0)


def _is_inverted(reference: str, answer: str) -> bool:
    """Whether the answer names the two objects in the other order: "the cup is below the gripper"."""
    words, said = plain(reference).replace(".", "").split(), plain(answer).replace(".", "").split()
    first, last = words[1] if words[0] == "the" else words[0], words[-1]
    return first in said and last in said and said.index(last) < said.index(first)
