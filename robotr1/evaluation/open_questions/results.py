"""Judged answers to open questions: one row for each policy, item and judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from robotr1 import paths
from robotr1.evaluation.judging.rubric import Ability, Judgement
from robotr1.records import read_by_policy, write_by_policy

FILE = "reasoning.jsonl"


@dataclass(frozen=True, slots=True)
class Scored:
    """One policy's answer to one item and the verdict of one judge."""

    id: str
    frame: str
    ability: Ability
    distribution: str
    policy: str
    judge: str
    completion: str | None  # None: the question could not be asked
    answer: str | None
    judgement: Judgement


def write(rows: Sequence[Scored], folder: Path = paths.PREDICTIONS) -> None:
    """Write the judged answers, one file for each policy."""
    write_by_policy(folder, FILE, rows)


def read(folder: Path = paths.PREDICTIONS) -> list[Scored]:
    """Read the judged answers of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, Scored)
