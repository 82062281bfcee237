"""Controls that every benchmark shares: the oracle reaches the top score, a random policy scores at chance."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binomtest, norm

UNLIKELY = 1e-6  # a random policy further from chance than this is an error of the benchmark, not luck


class BenchmarkError(ValueError):
    """A control failed, so no score of this run can be trusted."""


def check_oracle(benchmark: str, scores: Mapping[str, float], cause: str) -> None:
    """Check that the oracle scores 1 on every item; `scores` holds its scores by item, in [0, 1].

    Raises BenchmarkError, which counts the failed items and names the first of them and the likely `cause`.
    """
    if failed := [name for name, score in scores.items() if score != 1]:
        raise BenchmarkError(
            f"{benchmark}: the oracle fails {len(failed)} of {len(scores)} items, first {failed[0]}: {cause}"
        )


def check_chance(
    benchmark: str,
    scores: Sequence[float],
    chance: float,
    cause: str,
    *,
    deviation: float | None = None,
    at_most: bool = False,
) -> None:
    """Check that a random policy's mean score is no further from `chance` than luck explains.

    Args:
        scores: the policy's score on each item, in [0, 1]; without scores there is nothing to check.
        chance: its expected mean score.
        deviation: standard deviation of that mean. Without it every score is 0 or 1, and the test is binomial.
        at_most: accept any mean below `chance`.

    Raises BenchmarkError, which names the likely `cause`.
    """
    if not len(scores):
        return
    mean = float(np.mean(scores))
    if deviation is None:
        right, side = int(np.sum(scores)), "greater" if at_most else "two-sided"
        luck = binomtest(right, len(scores), chance, alternative=side).pvalue
    else:
        distance = max(mean - chance, 0.0) if at_most else abs(mean - chance)
        luck = norm.sf((distance - 1e-9) / max(deviation, 1e-12)) * (1 if at_most else 2)
    if luck < UNLIKELY:
        raise BenchmarkError(
            f"{benchmark}: the random policy scores {mean:.3f} on {len(scores)} items, where chance is "
            f"{'at most ' if at_most else ''}{chance:.3f}: {cause}"
        )
