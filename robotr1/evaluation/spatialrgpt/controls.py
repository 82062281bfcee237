"""Control policies of SpatialRGPT-Bench: oracle, random and majority, and the checks on their accuracies."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from robotr1.evaluation.controls import BenchmarkError, check_chance, check_oracle
from robotr1.evaluation.spatialrgpt.items import SpatialItem
from robotr1.evaluation.spatialrgpt.results import SpatialAnswer, summarize
from robotr1.evaluation.spatialrgpt.scoring import is_correct, score
from robotr1.evaluation.spatialrgpt.sentences import check_sentences

CONTROLS = ("oracle", "random", "majority")
HIGHEST_RANDOM = 0.75  # above this share the items are too alike


def completions(items: Sequence[SpatialItem], seed: int = 0) -> dict[str, list[str]]:
    """Completions of the policies that need no model.

    oracle: the reference. random: the reference of another item of the same category, or the item's own where it is
    the only one. majority: the most frequent reference of the category. There is no text-only control: a question's
    text holds its category and nothing of the scene, and the majority knows the category.
    """
    same: dict[str, list[SpatialItem]] = {}
    for item in items:
        same.setdefault(item.category, []).append(item)
    guesses = []
    for item in items:
        others = [other.reference for other in same[item.category] if other.id != item.id] or [item.reference]
        guesses.append(others[np.random.default_rng([seed, *item.id.encode()]).integers(len(others))])
    most = {name: Counter(item.reference for item in group).most_common(1)[0][0] for name, group in same.items()}
    answers = {
        "oracle": [item.reference for item in items],
        "random": guesses,
        "majority": [most[item.category] for item in items],
    }
    return {name: [f"<answer> {text} </answer>" for text in texts] for name, texts in answers.items()}


def answers(items: Sequence[SpatialItem], whole: Sequence[SpatialItem], seed: int = 0) -> list[SpatialAnswer]:
    """The controls' scored answers to `items`, with guesses from the `whole` set.

    In a small selection an item may be the only one of its category, and a guess from it would be its own answer.
    """
    rows = []
    for policy, texts in completions(whole, seed).items():
        by_item = dict(zip(whole, texts, strict=True))
        rows += score(policy, items, [by_item[item] for item in items])
    return rows


def expected_random(items: Sequence[SpatialItem]) -> tuple[float, float]:
    """The random control's expected accuracy over all items, and its standard deviation."""
    chances = []
    for item in items:
        others = [other for other in items if other.category == item.category and other.id != item.id] or [item]
        chances.append(np.mean([bool(is_correct(item, other.reference)) for other in others]))
    chances = np.array(chances)
    return float(chances.mean()), float(np.sqrt((chances * (1 - chances)).sum()) / len(chances))


def check_controls(items: Sequence[SpatialItem], seed: int = 0) -> pd.DataFrame:
    """Score the controls and return `summarize` of them.

    Raises BenchmarkError unless the benchmark's own sentences are read as their truth, the oracle is right everywhere,
    and random is no further from its expected accuracy than luck explains and right in at most 75 percent.
    """
    check_sentences()
    rows = answers(items, items, seed)
    correct = {policy: {row.id: float(row.correct) for row in rows if row.policy == policy} for policy in CONTROLS}
    check_oracle(
        "SpatialRGPT-Bench", correct["oracle"], "a reference must be right by its own measure; correct the item"
    )
    if items:
        expected, deviation = expected_random(items)
        random = list(correct["random"].values())
        cause = "all pairs of items of a category give another share"
        check_chance("SpatialRGPT-Bench", random, expected, cause, deviation=deviation)
        if (share := float(np.mean(random))) > HIGHEST_RANDOM:
            raise BenchmarkError(f"SpatialRGPT-Bench: random is right in {share:.0%}; the items are too alike")
    return summarize(rows)
