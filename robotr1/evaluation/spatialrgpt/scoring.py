"""Score completions of SpatialRGPT-Bench's questions by rules: right, wrong or unreadable.

Lengths are right within 25 percent and clock directions within one hour. A relation is right where the answer affirms,
denies or names the same region as the reference. The benchmark's own scripts let GPT-4 read the answers; these rules
read fewer phrases.
"""

from collections.abc import Callable, Sequence
from functools import partial

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.judging.clock import the_hour
from robotr1.evaluation.judging.lengths import the_length
from robotr1.evaluation.judging.rubric import answer_text
from robotr1.evaluation.spatialrgpt.items import SpatialItem
from robotr1.evaluation.spatialrgpt.relations import affirms, chosen_region, regions
from robotr1.evaluation.spatialrgpt.results import SpatialAnswer

TOLERANCE = 0.25


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
    read = _reader(item)
    truth, value = read(item.reference), read(answer or "")
    if truth is None or (item.quantitative and truth == 0):
        raise BenchmarkError(f"{item.id}: the reference {item.reference!r} is unreadable; correct the item")
    if value is None or not item.quantitative:
        return None if value is None else value == truth
    if item.column == "direction":
        away = abs(truth - value)
        return min(away, 12 - away) <= 1
    return abs(value - truth) <= TOLERANCE * truth + 1e-9


def _reader(item: SpatialItem) -> Callable[[str], float | None]:
    """What reads the references and answers of an item: a number, a yes or no, or a region."""
    if item.quantitative:
        return the_hour if item.column == "direction" else the_length
    word, _, form = item.category.partition("_")
    pair = tuple(dict.fromkeys(regions(item.question)))[:2]
    read = chosen_region if form == "choice" else affirms
    return partial(read, word=word, pair=pair if len(pair) == 2 else (0, 1))
