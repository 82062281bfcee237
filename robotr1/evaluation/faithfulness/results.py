"""What came of giving policies other thoughts: the probe's rows, shares by thought, changes from the own thought."""

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
    """One question behind one given thought."""

    id: str
    policy: str
    split: str
    type: str
    thought: Thought
    completion: str  # the given thought and what the policy wrote behind it
    read: bool  # whether a letter can be read from that
    letter: str  # of the options' letters the one likeliest to come right behind the thought
    own: str  # the letter that the policy wrote when it thought itself
    speaks: str | None  # the letters that the given thought speaks for; None: for none
    answer: str

    @property
    def same(self) -> bool:
        return self.letter == self.own

    @property
    def right(self) -> bool:
        return self.letter == self.answer

    @property
    def follows(self) -> bool | None:
        """Whether the letter is one that the given thought speaks for; None where it speaks for none."""
        return self.letter in self.speaks if self.speaks else None


def write(rows: Sequence[Probed], folder: Path = paths.PREDICTIONS) -> None:
    """Write the answers after given thoughts, one file for each policy."""
    write_by_policy(folder, FILE, rows)


def read(folder: Path = paths.PREDICTIONS) -> list[Probed]:
    """Read the answers after given thoughts of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, Probed)


def summarize(rows: Sequence[Probed], confidence: float = 0.95) -> pd.DataFrame:
    """Shares with Wilson's interval: one row per policy, split, type ("all" pools them), thought and measure.

    `questions` counts those in which the measure could be taken; where there is none, there is no row.
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
    """Each other thought against the policy's own one, on the same questions, types pooled: is the letter still the
    `same`, is it still `right`?

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
    """Policies in the order of their rows, each with its splits in theirs."""
    found = dict.fromkeys((row.policy, row.split) for row in rows)
    policies = list(dict.fromkeys(policy for policy, _ in found))
    return sorted(found, key=lambda pair: (policies.index(pair[0]), SPLITS.index(pair[1])))
