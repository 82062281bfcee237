"""Control policies of the open questions: oracle, random, majority and text only, and the checks on their scores."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from robotr1.evaluation.controls import BenchmarkError, check_chance, check_oracle
from robotr1.evaluation.judging.rubric import ABILITIES, BEST, Case, Judge
from robotr1.evaluation.open_questions.items import OpenItem
from robotr1.evaluation.open_questions.results import summarize
from robotr1.evaluation.open_questions.scoring import score

TOO_ALIKE = (BEST - 0.5) / BEST  # above this share of the best score, random and majority show that items are alike


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
    """The random control's expected mean score, in [0, 1], and its standard deviation, by ability.

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
        scores = np.array([verdict.score / BEST for verdict in judge.judge(cases)]).reshape(len(group), -1)
        levels[ability] = float(scores.mean()), float(np.sqrt(scores.var(axis=1).sum()) / len(group))
    return levels


def check_controls(items: Sequence[OpenItem], judge: Judge, seed: int = 0) -> pd.DataFrame:
    """Judge the controls and return `summarize` of them.

    Raises BenchmarkError unless the oracle gets the best score on every item, random is no further from its expected
    score than luck explains, and random and majority stay half a point below the best score.
    """
    rows = score(completions(items, seed), items, judge)
    oracle = {row.id: row.judgement.score / BEST for row in rows if row.policy == "oracle"}
    check_oracle("open questions", oracle, "a reference must get the best score against itself; correct the item")
    for ability, (chance, deviation) in expected_random(items, judge).items():
        shares = {
            name: [row.judgement.score / BEST for row in rows if (row.policy, row.ability) == (name, ability)]
            for name in ("random", "majority")
        }
        cause = "all pairs of items give another mean, so guesses or judge are not what they seem"
        check_chance(f"open questions, {ability}", shares["random"], chance, cause, deviation=deviation)
        for name, values in shares.items():
            if (mean := float(np.mean(values))) > TOO_ALIKE:
                raise BenchmarkError(f"open questions, {ability}: {name} scores {mean:.2f} of 1; items are too alike")
    return summarize(rows)
