"""Answers to SpatialRGPT-Bench's questions, and their accuracy by sub-column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.spatialrgpt.items import COLUMNS
from robotr1.records import read_by_policy, write_by_policy
from robotr1.statistics import accuracy_interval, clustered_interval

FILE = "spatial.jsonl"  # of each policy in data/predictions; the name of committed results
SUMMARY = ("policy", "column", "questions", "accuracy", "low", "high", "image_low", "image_high", "unreadable")


@dataclass(frozen=True, slots=True)
class SpatialAnswer:
    """One policy's answer to one item; an unreadable answer is wrong, too."""

    id: str
    policy: str
    image: str
    column: str
    quantitative: bool
    completion: str | None  # None: the item's image is missing
    correct: bool
    unreadable: bool


def write(rows: Sequence[SpatialAnswer], folder: Path = paths.PREDICTIONS) -> None:
    """Write the scored answers, one file for each policy."""
    write_by_policy(folder, FILE, rows)


def read(folder: Path = paths.PREDICTIONS) -> list[SpatialAnswer]:
    """Read the scored answers of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, SpatialAnswer, key=("id",))


def summarize(rows: Iterable[SpatialAnswer], confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Each policy's accuracy (a share) by sub-column, and the two averages over questions, as in Table 5.

    One row per policy and column that occurs: questions, accuracy with Wilson's interval (low, high) and the bootstrap
    over images (image_low, image_high), and the number of unreadable answers.
    """
    groups: dict[tuple[str, str], list[SpatialAnswer]] = {}
    for row in rows:
        for column in (row.column, "quantitative" if row.quantitative else "qualitative"):
            groups.setdefault((row.policy, column), []).append(row)
    table = []
    for policy in dict.fromkeys(policy for policy, _ in groups):
        for column in (*COLUMNS, "quantitative", "qualitative"):
            if not (group := groups.get((policy, column))):
                continue
            correct = [row.correct for row in group]
            accuracy, low, high = accuracy_interval(correct, confidence)
            _, image_low, image_high = clustered_interval(correct, [row.image for row in group], confidence, seed)
            values = (policy, column, len(group), accuracy, low, high, image_low, image_high)
            table.append((*values, sum(row.unreadable for row in group)))
    return pd.DataFrame(table, columns=list(SUMMARY))
