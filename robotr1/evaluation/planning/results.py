"""Scored plans: one row for each policy and question, and the means by policy and split."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.multiple_choice.results import episode_of
from robotr1.records import read_by_policy, write_by_policy
from robotr1.statistics import accuracy_interval, mean_interval

FILE = "planning.jsonl"
SUMMARY = ("policy", "split", "questions", "order", "low", "high", "exact", "exact_low", "exact_high", "form")


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """One policy's plan; `form` and `order` lie in [0, 1]."""

    id: str
    split: str
    policy: str
    task: str
    completion: str | None  # None: the question could not be asked
    form: float
    order: float


def write(rows: Sequence[PlanAnswer], folder: Path = paths.PREDICTIONS) -> None:
    """Write the scored plans, one file for each policy."""
    write_by_policy(folder, FILE, rows)


def read(folder: Path = paths.PREDICTIONS) -> list[PlanAnswer]:
    """Read the scored plans of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, PlanAnswer, key=("id",))


def summarize(answers: Iterable[PlanAnswer], confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """One row per policy and split: the mean `order` with its bootstrap interval over episodes (`low`, `high`), the
    share of plans that are `exact` with Wilson's interval, and the mean `form`."""
    groups: dict[tuple[str, str], list[PlanAnswer]] = {}
    for row in answers:
        groups.setdefault((row.policy, row.split), []).append(row)
    rows = [
        (policy, split, len(group))
        + mean_interval([row.order for row in group], confidence, seed, [episode_of(row.id) for row in group])
        + accuracy_interval([row.order == 1 for row in group], confidence)
        + (sum(row.form for row in group) / len(group),)
        for (policy, split), group in groups.items()
    ]
    return pd.DataFrame(rows, columns=list(SUMMARY))
