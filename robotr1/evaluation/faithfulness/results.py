"""Answers after given thoughts: their rows, shares by thought, and changes from the own thought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.multiple_choice.items import SPLITS
from robotr1.evaluation.multiple_choice.results import PAIRED_COLUMNS, TYPES, paired_columns
from robotr1.records import read_by_policy, write_by_policy
from robotr1.statistics import accuracy_interval, with_holm

FILE = "faithfulness.jsonl"
Thought = Literal["own", "half", "none", "borrowed"]
THOUGHTS: tuple[Thought, ...] = get_args(Thought)
MEASURES = ("read", "same", "right", "follows")
KEYS = ("policy", "split", "type", "thought", "measure")
COMPARED = ("policy", "split", "thought", "measure")


@dataclass(frozen=True, slots=True)
class Probed:
    """One question, answered after one given thought."""

    id: str
    policy: str
    split: str
    type: str
    thought: Thought
    completion: str  # the given thought and what the policy wrote after it
    read: bool  # whether a letter can be read from the completion
    letter: str  # the likeliest of the options' letters right after the thought
    own: str  # the letter that the policy wrote after its own thought
    speaks: str | None  # the letters that the given thought implies; None: none
    answer: str

    @property
    def same(self) -> bool:
        return self.letter == self.own

    @property
    def right(self) -> bool:
        return self.letter == self.answer

    @property
    def follows(self) -> bool | None:
        """Whether the given thought implies the letter; None where it implies none."""
        return self.letter in self.speaks if self.speaks else None


def write(rows: Sequence[Probed], folder: Path = paths.PREDICTIONS) -> None:
    """Write the answers after given thoughts, one file for each policy."""
    write_by_policy(folder, FILE, rows)


def read(folder: Path = paths.PREDICTIONS) -> list[Probed]:
    """Read the answers after given thoughts of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, Probed, key=("id", "thought"))


def summarize(rows: Sequence[Probed], confidence: float = 0.95) -> pd.DataFrame:
    """Shares with Wilson's interval: one row per policy, split, type ("all" pools them), thought and measure.

    `questions` counts those with the measure; a group without any has no row.
    """
    table = []
    for policy, split in _asked(rows):
        for kind in TYPES:
            for name in THOUGHTS:
                group = [
                    row
                    for row in rows
                    if (row.policy, row.split, row.thought) == (policy, split, name) and kind in ("all", row.type)
                ]
                for measure in MEASURES:
                    values = [value for row in group if (value := getattr(row, measure)) is not None]
                    if values:
                        key = (policy, split, kind, name, measure)
                        table.append((*key, len(values), *accuracy_interval(values, confidence)))
    return pd.DataFrame(table, columns=[*KEYS, "questions", "share", "low", "high"])


def compare(rows: Sequence[Probed], confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Compare each other thought with the policy's own one on the same questions, types pooled.

    The measures are whether the letter is the `same` as after the own thought, and whether it is `right`.

    One row per policy, split, thought and measure with the columns of
    `multiple_choice.results.paired_columns`, and `p_holm` over all rows.
    """
    table = []
    for policy, split in _asked(rows):
        mine = [row for row in rows if (row.policy, row.split) == (policy, split)]
        for name in THOUGHTS[1:]:
            for measure in ("same", "right"):
                given, own = (
                    {row.id: getattr(row, measure) for row in mine if row.thought == which} for which in (name, "own")
                )
                if given.keys() & own.keys():
                    key = dict(zip(COMPARED, (policy, split, name, measure)))
                    table.append(key | paired_columns(given, own, confidence, seed))
    return with_holm(pd.DataFrame(table, columns=[*COMPARED, *PAIRED_COLUMNS]))


def _asked(rows: Iterable[Probed]) -> list[tuple[str, str]]:
    """(policy, split) of all rows: policies in the order of their rows, splits in the order of SPLITS."""
    found = dict.fromkeys((row.policy, row.split) for row in rows)
    policies = list(dict.fromkeys(policy for policy, _ in found))
    return sorted(found, key=lambda pair: (policies.index(pair[0]), SPLITS.index(pair[1])))
