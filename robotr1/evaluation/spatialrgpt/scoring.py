"""Score completions of SpatialRGPT-Bench's questions by rules: right, wrong or unreadable.

Lengths are right within 25 percent and clock directions within one hour. A relation is right where the answer affirms,
denies or names the same region as the reference. The benchmark's own scripts let GPT-4 read the answers; these rules
read fewer phrases.
"""

import re
from collections.abc import Sequence

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.judging.lengths import clock_hours, the_length
from robotr1.evaluation.judging.rubric import answer_text
from robotr1.evaluation.spatialrgpt.items import SpatialItem
from robotr1.evaluation.spatialrgpt.results import SpatialAnswer

TOLERANCE = 0.25
_REGION = re.compile(r"\[?region\s*\[?\s*(\d{1,2})\s*\]?|\[(\d{1,2})\]", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:no|not|n't|isn't|doesn't|incorrect|false|cannot|never|actually)\b", re.IGNORECASE)
_AFFIRMS = re.compile(r"\b(?:yes|correct|indeed|true|yeah|right, |certainly|absolutely)\b", re.IGNORECASE)


def score(policy: str, items: Sequence[SpatialItem], completions: Sequence[str | None]) -> list[SpatialAnswer]:
    """Score a policy's completions (only the text inside <answer>); None stands for a missing image.

    Raises ValueError where the numbers of items and completions differ, and BenchmarkError for an unreadable reference.
    """
    if len(items) != len(completions):
        raise ValueError(f"{len(items)} items but {len(completions)} completions")
    verdicts = [is_correct(item, answer_text(text) if text else None) for item, text in zip(items, completions)]
    return [
        SpatialAnswer(item.id, policy, item.image, item.column, item.quantitative, text, bool(verdict), verdict is None)
        for item, text, verdict in zip(items, completions, verdicts)
    ]


def is_correct(item: SpatialItem, answer: str | None) -> bool | None:
    """Whether an answer is right; None where it is unreadable. Raises BenchmarkError for an unreadable reference."""
    answer = answer or ""
    if not item.quantitative:
        return _same_relation(item, answer)
    read = _clock if item.column == "direction" else the_length
    truth, value = read(item.reference), read(answer)
    if not truth:
        raise BenchmarkError(f"{item.id}: no quantity in the reference {item.reference!r}; correct the item")
    if value is None:
        return None
    if item.column == "direction":
        away = abs(truth - value)
        return min(away, 12 - away) <= 1
    return abs(value - truth) <= TOLERANCE * truth + 1e-9


def affirms(text: str) -> bool | None:
    """Whether a text answers a question with yes or no; a bare statement means yes, and None that it is unreadable."""
    yes, no = bool(_AFFIRMS.search(text)), bool(_DENIES.search(text))
    opening = re.match(r"\W*(yes|yeah|correct|no|incorrect|false|true)\b", text, re.IGNORECASE)
    if opening:
        first = opening[1].lower() in ("yes", "yeah", "correct", "true")
        return None if re.search(rf"\b{'no' if first else 'yes'}\b", text, re.IGNORECASE) else first
    if yes and no:
        return None
    return not no if (yes or no or regions(text)) else None


def regions(text: str) -> list[int]:
    """The numbers of all regions in a text, in order."""
    return [int(one or other) for one, other in _REGION.findall(text)]


def _same_relation(item: SpatialItem, answer: str) -> bool | None:
    if item.category.endswith("_choice"):
        truth, named = regions(item.reference)[:1], regions(answer)
        if not truth:
            raise BenchmarkError(f"{item.id}: no region in the reference {item.reference!r}; correct the item")
        return named[0] == truth[0] if named and not _DENIES.search(answer) else None
    truth, claim = affirms(item.reference), affirms(answer)
    if truth is None:
        raise BenchmarkError(f"{item.id}: the reference {item.reference!r} is neither yes nor no; correct the item")
    return None if claim is None else claim == truth


def _clock(text: str) -> int | None:
    hours = set(clock_hours(text))
    return hours.pop() if len(hours) == 1 else None
