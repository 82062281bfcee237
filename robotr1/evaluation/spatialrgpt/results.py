"""Answers to the questions of SpatialRGPT-Bench: one row for each policy and item."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from robotr1 import paths
from robotr1.records import read_by_policy, write_by_policy

FILE = "spatial.jsonl"


@dataclass(frozen=True, slots=True)
class SpatialAnswer:
    """One policy's answer to one question; `unreadable` ones are wrong as well."""

    id: str
    policy: str
    image: str
    column: str
    quantitative: bool
    completion: str | None  # None: the question could not be asked
    correct: bool
    unreadable: bool


def write(rows: Sequence[SpatialAnswer], folder: Path = paths.PREDICTIONS) -> None:
    """Write the answers to questions of SpatialRGPT-Bench, one file for each policy."""
    write_by_policy(folder, FILE, rows)


def read(folder: Path = paths.PREDICTIONS) -> list[SpatialAnswer]:
    """Read the answers to questions of SpatialRGPT-Bench of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, SpatialAnswer)
