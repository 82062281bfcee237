"""Measure how far judges agree, with each other or with people: Pearson's r (the paper's Table 6) and Cohen's kappa.

In Robot-R1 eight experts scored 80 answers, and their median was compared with GPT-4o's scores. Here the same compares
two judges, two runs of one judge, or a judge with people's scores from a CSV file.
"""

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from robotr1.evaluation.judging.rubric import BEST

RESAMPLES = 2000
COLUMNS = ("answers", "clusters", "same", "pearson", "pearson_low", "pearson_high", "kappa", "kappa_low", "kappa_high")
Key = TypeVar("Key", bound=Hashable)


class ScoresError(ValueError):
    """A file of human scores cannot be used; the message names file and line."""


def read_human_scores(path: Path) -> dict[tuple[str, str], float]:
    """Median score of the raters for each (policy, item) of a CSV with the columns policy, id, rater, score.

    An empty score means that the rater skipped the answer. Raises ScoresError for missing columns, a score outside 0
    to 3, or a rater who scored an answer twice.
    """
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if missing := [name for name in ("policy", "id", "rater", "score") if name not in table]:
        raise ScoresError(f"{path}: no column {', '.join(missing)}")
    table = table[table["score"].str.strip() != ""]
    numbers = pd.to_numeric(table["score"], errors="coerce")
    for line, text in table["score"][~numbers.between(0, BEST)].items():
        raise ScoresError(f"{path}, line {line + 2}: score {text!r} is not a number from 0 to {BEST}")
    for line in table.index[table.duplicated(["policy", "id", "rater"])]:
        raise ScoresError(f"{path}, line {line + 2}: {table.loc[line, 'rater']} scored this answer twice")
    medians = table.assign(score=numbers).groupby(["policy", "id"])["score"].median()
    return {(str(policy), str(item)): float(score) for (policy, item), score in medians.items()}


def agreement(
    one: Mapping[Key, float],
    other: Mapping[Key, float],
    groups: Mapping[Key, str],
    clusters: Mapping[Key, Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Agreement on the answers that both scored, by group (ability) and for "all".

    Args:
        one, other: scores 0 to 3 by answer; kappa rounds medians between two scores, halves up.
        groups: the ability of each answer.
        clusters: the frame of each answer; bootstrap intervals resample whole clusters. None: each answer is one.

    Returns one row per group with `COLUMNS`. `same` is the share of equal scores. r is nan where a judge always gives
    the same score. kappa is unweighted, and nan where both judges give only one and the same score.
    """
    shared = [key for key in one if key in other]
    rows = []
    for group in ("all", *sorted({groups[key] for key in shared})):
        keys = [key for key in shared if group in ("all", groups[key])]
        pairs = np.array([(one[key], other[key]) for key in keys], dtype=float).reshape(-1, 2)
        members = pd.factorize(pd.Series([str(clusters[key]) if clusters else str(key) for key in keys], dtype=str))[0]
        values = {"answers": len(keys), "clusters": len(set(members)), "same": same(pairs)}
        resampled = _resamples(pairs, members, seed)
        for name, measure in (("pearson", pearson), ("kappa", kappa)):
            low, high = _interval([measure(sample) for sample in resampled], confidence)
            values |= {name: measure(pairs), f"{name}_low": low, f"{name}_high": high}
        rows.append({"group": group} | {name: values[name] for name in COLUMNS})
    return pd.DataFrame(rows, columns=["group", *COLUMNS])


def same(pairs: np.ndarray) -> float:
    """Share of [N,2] pairs that are equal after rounding."""
    whole = _whole(pairs)
    return float((whole[:, 0] == whole[:, 1]).mean()) if len(pairs) else math.nan


def pearson(pairs: np.ndarray) -> float:
    """Pearson's r of [N,2] pairs."""
    away = pairs - pairs.mean(axis=0) if len(pairs) else pairs
    size = math.sqrt((away[:, 0] ** 2).sum() * (away[:, 1] ** 2).sum())
    return float((away[:, 0] * away[:, 1]).sum() / size) if size > 1e-12 else math.nan


def kappa(pairs: np.ndarray) -> float:
    """Cohen's unweighted kappa of [N,2] pairs of scores 0 to 3."""
    if not len(pairs):
        return math.nan
    whole = _whole(pairs)
    table = np.zeros((BEST + 1, BEST + 1))
    np.add.at(table, (whole[:, 0], whole[:, 1]), 1 / len(pairs))
    by_chance = float(table.sum(axis=1) @ table.sum(axis=0))
    return float((np.trace(table) - by_chance) / (1 - by_chance)) if by_chance < 1 - 1e-12 else math.nan


def _whole(pairs: np.ndarray) -> np.ndarray:
    return np.floor(pairs + 0.5).astype(int)


def _resamples(pairs: np.ndarray, members: np.ndarray, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    clusters = [pairs[members == member] for member in range(members.max() + 1)] if len(pairs) else []
    if len(clusters) < 2:
        return []
    draws = rng.integers(len(clusters), size=(RESAMPLES, len(clusters)))
    return [np.concatenate([clusters[index] for index in draw]) for draw in draws]


def _interval(values: list[float], confidence: float) -> tuple[float, float]:
    """Percentiles over the resamples with a finite measure; nan where fewer than half of them have one."""
    found = np.array(values)[np.isfinite(values)] if values else np.array([])
    if len(found) < max(1, len(values) / 2):
        return math.nan, math.nan
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
