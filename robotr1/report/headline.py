"""The main result: the gain of reinforcement learning over the base, as a sentence and as numbers for DVC."""

import pandas as pd

from robotr1.report.results import Results
from robotr1.report.style.names import is_reinforced, label
from robotr1.report.style.tables import find_row
from robotr1.report.style.text import p_text


def headline(results: Results) -> str:
    """The main result in one sentence, with interval and p-value; it says so if chance could explain the gain."""
    row = main_comparison(results)
    if row is None:
        return "There is no reinforced policy to compare with its base on test_in."
    after = find_row(results.accuracy, policy=results.headline_policy, split="test_in", type="all")
    before = find_row(results.accuracy, policy="base", split="test_in", type="all")
    points, low, high = (100 * row[name] for name in ("difference", "low", "high"))
    change = "a gain of" if points > 0 else "a change of"
    doubt = "" if row["p_value"] < 0.01 and row["low"] > 0 else " This is not more than chance allows."
    return (
        f"On the {row['questions']} held-out questions of the training tasks, {label(results.headline_policy)} answers "
        f"{after['accuracy']:.1%} right and its base {before['accuracy']:.1%}: {change} {points:+.1f} points "
        f"({results.settings.confidence:.0%} interval over episodes {low:+.1f} to {high:+.1f}; "
        f"exact McNemar test, {p_text(row['p_value'])}).{doubt}"
    )


def headline_numbers(results: Results) -> dict[str, dict[str, float]]:
    """The main result for `dvc metrics`, in percent, few enough for one row of `dvc exp show`.

    By test split the accuracy of the base and of each reinforced policy; under `gain` the points of `headline` with
    their interval `low`, `high`.
    """
    pooled = results.accuracy.query("type == 'all'")
    numbers = {
        split: {
            row.policy: round(100 * row.accuracy, 1)
            for row in pooled[pooled["split"] == split].itertuples()
            if row.policy == "base" or is_reinforced(row.policy)
        }
        for split in results.test_splits
    }
    row = main_comparison(results)
    if row is not None:
        span = {"points": row["difference"], "low": row["low"], "high": row["high"]}
        numbers["gain"] = {name: round(100 * float(value), 1) for name, value in span.items()}
    return numbers


def main_comparison(results: Results) -> pd.Series | None:
    """The row of `comparisons` behind the main result; None without a reinforced policy or a base."""
    policy = results.headline_policy or ""
    return find_row(results.comparisons, policy=policy, baseline="base", split="test_in", type="all")
