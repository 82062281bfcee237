"""Intervals of accuracies and scores, and paired tests between policies.

The papers report point estimates only. The study adds a 95 % interval to each and pairs policies by question.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

RESAMPLES = 5000


@dataclass(frozen=True)
class PairedDifference:
    """Accuracy of a minus accuracy of b on the same questions, in [-1, 1]."""

    difference: float
    low: float
    high: float
    p_value: float  # exact McNemar, two-sided
    gained: int  # questions that a has right and b wrong
    lost: int  # questions that b has right and a wrong


def accuracy_interval(correct: Sequence[bool], confidence: float = 0.95) -> tuple[float, float, float]:
    """Accuracy and its Wilson score interval: (mean, low, high), each in [0, 1].

    Wilson's interval stays inside [0, 1] and has the right coverage near 0 and 1, where small splits often are.
    Questions count as independent; those of one episode are not quite, see `clustered_interval`.
    Raises ValueError without questions, or where an entry is neither true nor false.
    """
    values = _booleans(correct)
    low, high = proportion_confint(values.sum(), len(values), alpha=1 - confidence, method="wilson")
    mean = float(values.mean())
    return mean, min(float(low), mean), max(float(high), mean)  # rounding must not exclude the mean


def paired_difference(
    a: Sequence[bool],
    b: Sequence[bool],
    confidence: float = 0.95,
    seed: int = 0,
    clusters: Sequence[Hashable] | None = None,
) -> PairedDifference:
    """Compare two policies on the same questions, in the same order.

    The p-value is that of the exact McNemar test, which uses only the questions that exactly one policy has right.
    The interval is a percentile bootstrap over questions, or over whole `clusters` (episodes) where they are given.
    Raises ValueError where the lengths differ.
    """
    a, b = _booleans(a), _booleans(b)
    if len(a) != len(b):
        raise ValueError(f"paired policies answer the same questions; got {len(a)} and {len(b)} answers")
    gained, lost = int((a & ~b).sum()), int((b & ~a).sum())
    table = [[int((a & b).sum()), gained], [lost, int((~a & ~b).sum())]]
    difference = a.astype(float) - b
    members = _members(clusters if clusters is not None else range(len(a)), len(a))
    low, high = _bootstrap(
        np.bincount(members, difference), np.bincount(members).astype(float), confidence, seed, lowest=-1.0
    )
    p_value = float(mcnemar(table, exact=True).pvalue)
    return PairedDifference(float(difference.mean()), low, high, p_value, gained, lost)


def clustered_interval(
    correct: Sequence[bool], clusters: Sequence[Hashable], confidence: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Accuracy with a bootstrap interval that resamples whole clusters (episodes) instead of questions.

    Frames of one episode look alike, so the number of episodes, not of questions, sets the width.
    Returns (mean, low, high). Raises ValueError where the lengths differ.
    """
    values = _booleans(correct)
    members = _members(clusters, len(values))
    right, size = np.bincount(members, values), np.bincount(members).astype(float)
    return float(values.mean()), *_bootstrap(right, size, confidence, seed)


def mean_interval(
    values: Sequence[float], confidence: float = 0.95, seed: int = 0, clusters: Sequence[Hashable] | None = None
) -> tuple[float, float, float]:
    """Mean of scores (any numbers) with a percentile bootstrap interval over values, or over whole `clusters`.

    Returns (mean, low, high). All are nan without values; low and high are nan with one value or cluster only.
    Raises ValueError where the lengths differ.
    """
    array = np.asarray(values, dtype=float)
    if not len(array):
        return math.nan, math.nan, math.nan
    members = _members(clusters if clusters is not None else range(len(array)), len(array))
    total, size = np.bincount(members, array), np.bincount(members).astype(float)
    if len(total) < 2:
        return float(array.mean()), math.nan, math.nan
    return float(array.mean()), *_bootstrap(total, size, confidence, seed)


def sign_flip_test(differences: Sequence[float], seed: int = 0) -> float:
    """The two-sided p-value of a paired permutation test on the sum of `differences`, one for each independent unit.

    Under the null hypothesis the difference of a unit (a frame, an episode) has either sign with equal probability.
    All 2^n sign patterns are tested where there are few, else 9,999 random ones. Raises ValueError without differences.
    """
    array = np.asarray(differences, dtype=float)
    if not len(array):
        raise ValueError("no differences to test")
    if len(array) < 2 or not array.any():
        return 1.0
    result = stats.permutation_test(
        (array,), np.sum, permutation_type="samples", vectorized=True, rng=np.random.default_rng(seed)
    )
    return float(result.pvalue)


def with_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Add the column `p_holm`: Holm's correction of `p_value` over all rows of the table."""
    adjusted = multipletests(table["p_value"], method="holm")[1] if len(table) else []
    return table.assign(p_holm=adjusted)


def _members(clusters: Sequence[Hashable], answers: int) -> np.ndarray:
    """The number of each answer's cluster, counted in order of appearance."""
    if len(clusters) != answers:
        raise ValueError(f"every answer needs its cluster; got {answers} answers and {len(clusters)} clusters")
    index = {cluster: i for i, cluster in enumerate(dict.fromkeys(clusters))}
    return np.array([index[cluster] for cluster in clusters])


def _booleans(values: Sequence[bool]) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f"expected a non-empty list of right/wrong answers, got shape {array.shape}")
    if not np.isin(array, (0, 1)).all():
        raise ValueError("every answer is either right (True) or wrong (False)")
    return array.astype(bool)


def _bootstrap(
    numerator: np.ndarray, denominator: np.ndarray, confidence: float, seed: int, lowest: float = 0.0
) -> tuple[float, float]:
    """Percentile interval of sum(numerator) / sum(denominator), resampling their entries together."""
    if len(numerator) < 2:
        return lowest, 1.0  # one observation has no spread

    def ratio(top: np.ndarray, bottom: np.ndarray, axis: int) -> np.ndarray:
        return top.sum(axis=axis) / bottom.sum(axis=axis)

    interval = stats.bootstrap(
        (numerator, denominator),
        ratio,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=500,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)
