"""One training is one draw: accuracies over the seeds of an algorithm, and how far the seeds lie apart."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from robotr1.evaluation.multiple_choice.scoring import SPLITS, TYPES, episode_of, groups
from robotr1.records import Prediction
from robotr1.statistics import clustered_interval, mean_interval

COLUMNS = ("algorithm", "split", "type", "seeds", "questions", "accuracy", "low", "high")
COLUMNS += ("deviation", "lowest", "highest", "gain", "gain_low", "gain_high")

_SEED = re.compile(r"(\w+)-seed\d+")


def over_seeds(predictions: Sequence[Prediction], confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """One row per reinforced algorithm, split and question type (and "all"), over all its seeds.

    `accuracy` pools the answers of all seeds, with a bootstrap interval that draws whole episodes with every seed's
    answers in them (`low`, `high`): it says how far other episodes could move the mean of these seeds, and not how far
    other seeds could. `deviation` (standard deviation with n - 1; nan for one seed), `lowest` and `highest` describe
    the seeds; the paper's Table 8 prints mean and deviation. `gain` is the mean difference from the base on the same
    questions, with its interval over episodes; nan where there is no base.
    """
    by_group = groups(predictions, "type")
    members: dict[str, list[str]] = {}
    for policy in dict.fromkeys(policy for policy, _, _ in by_group):
        if match := _SEED.fullmatch(policy):
            members.setdefault(match[1], []).append(policy)
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
