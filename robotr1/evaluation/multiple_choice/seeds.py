"""Accuracies over the seeds of an algorithm, with the spread between its seeds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from robotr1.evaluation.multiple_choice.items import SPLITS
from robotr1.evaluation.multiple_choice.results import TYPES, episode_of, groups
from robotr1.policies.names import parse_name
from robotr1.records import Prediction
from robotr1.statistics import clustered_interval, mean_interval

COLUMNS = ("algorithm", "split", "type", "seeds", "questions", "accuracy", "low", "high")
COLUMNS += ("deviation", "lowest", "highest", "gain", "gain_low", "gain_high")


def over_seeds(predictions: Sequence[Prediction], confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """One row per reinforced algorithm, split and question type (and "all"), over all its seeds.

    `accuracy` pools the answers of all seeds. Its interval (`low`, `high`) is a bootstrap over whole episodes with
    every seed's answers: it covers other episodes, not other seeds. `deviation` (standard deviation with n - 1; nan for
    one seed), `lowest` and `highest` describe the seeds; the paper's Table 8 prints mean and deviation. `gain` is the
    mean difference from the base on the same questions, with its interval over episodes; nan without a base.
    """
    by_group = groups(predictions, "type")
    members: dict[str, list[str]] = {}
    for policy in dict.fromkeys(policy for policy, _, _ in by_group):
        name = parse_name(policy)
        if name.reinforced and name.plain:
            members.setdefault(name.algorithm, []).append(policy)
    rows = []
    for algorithm, policies in members.items():
        for split in SPLITS:
            for kind in TYPES:
                runs = [by_group[policy, split, kind] for policy in policies if (policy, split, kind) in by_group]
                if runs:
                    base = by_group.get(("base", split, kind), [])
                    numbers = _numbers(runs, {p.id: p.correct for p in base}, confidence, seed)
                    rows.append({"algorithm": algorithm, "split": split, "type": kind} | numbers)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _numbers(runs: list[list[Prediction]], base: dict[str, bool], confidence: float, seed: int) -> dict[str, float]:
    answers = [prediction for run in runs for prediction in run]
    episodes = [episode_of(prediction.id) for prediction in answers]
    pooled = clustered_interval([prediction.correct for prediction in answers], episodes, confidence, seed)
    each = [np.mean([prediction.correct for prediction in run]) for run in runs]
    paired = [prediction for prediction in answers if prediction.id in base]
    gain = mean_interval(
        [float(prediction.correct) - base[prediction.id] for prediction in paired],
        confidence,
        seed,
        [episode_of(prediction.id) for prediction in paired],
    )
    return (
        {"seeds": len(runs), "questions": len({prediction.id for prediction in answers})}
        | dict(zip(("accuracy", "low", "high"), pooled))
        | {"deviation": float(np.std(each, ddof=1)) if len(each) > 1 else np.nan}
        | {"lowest": min(each), "highest": max(each)}
        | dict(zip(("gain", "gain_low", "gain_high"), gain))
    )
