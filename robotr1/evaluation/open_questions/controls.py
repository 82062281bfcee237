"""Control policies of the open questions: oracle, random, majority and text only, and the checks on their scores."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.judging.rubric import ABILITIES, BEST, Case, Judge
from robotr1.evaluation.open_questions.items import OpenItem
from robotr1.evaluation.open_questions.results import summarize
from robotr1.evaluation.open_questions.scoring import score

MARGIN = 0.5  # random and majority stay this far below the best grade


def completions(items: Sequence[OpenItem], seed: int = 0) -> dict[str, list[str]]:
    """Completions of the policies that need no model.

    oracle: the reference. random: the reference of another item of the same ability. majority: always the most
    frequent reference of the ability. text_only: the most frequent reference among other frames' items with the same
    task and question, else the majority's; this is what the text alone gives away.
    """
    by_ability = {ability: [item for item in items if item.ability == ability] for ability in ABILITIES}
    most = {name: Counter(item.reference for item in group).most_common(1) for name, group in by_ability.items()}
    guesses, blind = [], []
    for item in items:
        alike = [
            other.reference
            for other in by_ability[item.ability]
            if (other.task, other.question) == (item.task, item.question) and other.frame != item.frame
        ]
        blind.append(Counter(alike).most_common(1)[0][0] if alike else most[item.ability][0][0])
        others = [other.reference for other in by_ability[item.ability] if other.id != item.id] or [item.reference]
        guesses.append(others[np.random.default_rng([seed, *item.id.encode()]).integers(len(others))])
    answers = {
        "oracle": [item.reference for item in items],
        "random": guesses,
        "majority": [most[item.ability][0][0] for item in items],
        "text_only": blind,
    }
    return {name: [f"<think> </think> <answer> {text} </answer>" for text in texts] for name, texts in answers.items()}


def expected_random(items: Sequence[OpenItem], judge: Judge) -> dict[str, tuple[float, float]]:
    """The random control's expected mean score and its standard deviation, by ability.

    Every pair of items is judged, so `judge` must be one without costs.
    """
    levels = {}
    for ability in sorted({item.ability for item in items}):
        group = [item for item in items if item.ability == ability]
        cases = [
            Case(ability, item.question, item.reference, other.reference)
            for item in group
            for other in group
            if other.id != item.id
        ]
        if not cases:
            continue
        scores = np.array([verdict.score for verdict in judge.judge(cases)]).reshape(len(group), -1)
        levels[ability] = float(scores.mean()), float(np.sqrt(scores.var(axis=1).sum()) / len(group))
    return levels


def check_controls(items: Sequence[OpenItem], judge: Judge, seed: int = 0) -> pd.DataFrame:
    """Judge the controls and return `summarize` of them.

    Raises BenchmarkError unless the oracle gets the best grade on every item, random lies within five standard
    deviations of its expected score, and random and majority stay half a point below the best grade.
    """
    rows = score(completions(items, seed), items, judge)
    if low := [row for row in rows if row.policy == "oracle" and row.judgement.score != BEST]:
        raise BenchmarkError(
            f"the reference of {low[0].id} scores {low[0].judgement.score} against itself ({low[0].judgement.reason}), "
            f"and {len(low) - 1} more; correct the items"
        )
    table = summarize(rows)
    means = table[table["distribution"] == "all"].set_index(["policy", "ability"])["score"]
    for ability, (expected, deviation) in expected_random(items, judge).items():
        mean = means["random", ability]
        if abs(mean - expected) > 5 * deviation + 1e-9:
            raise BenchmarkError(f"{ability}: random scores {mean:.2f}, but all pairs of items give {expected:.2f}")
        for name in ("random", "majority"):
            if means[name, ability] > BEST - MARGIN:
                raise BenchmarkError(
                    f"{ability}: {name} scores {means[name, ability]:.2f} of {BEST}; the items are too alike"
                )
    return table
