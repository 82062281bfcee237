"""Typed records ↔ JSONL, one record a line, each with the version of its schema.

A broken line stops the study with its file, line number and field: a silently dropped question would change every
accuracy after it.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from robotr1 import fields, paths

SCHEMA = 1

Letter = Literal["A", "B", "C", "D", "E", "F", "G", "H"]
QuestionType = Literal["waypoint", "state", "movement"]
Split = Literal["train", "validation", "test_in", "test_out"]


class RecordError(ValueError):
    """A record that cannot be read; the message names the file, the line and the field."""


@dataclass(frozen=True, slots=True)
class Keyframes:
    """The keyframes of one episode (a line of data/keyframes.jsonl)."""

    task: str
    variation: int
    episode: int
    instruction: str
    length: int  # number of frames
    keyframes: list[int]  # frame indices, rising


@dataclass(frozen=True, slots=True)
class Question:
    """One multiple-choice question about one frame (Robot-R1 section 3.2)."""

    id: str  # <task>/variation<V>/episode<E>/frame<F>/<type>
    split: Split
    type: QuestionType
    task: str
    variation: int
    episode: int
    frame: int
    keyframe: int  # index of the next keyframe
    image: str  # relative to the repository root, forward slashes
    instruction: str
    state: list[float]  # gripper tip [x, y, z] now, metres
    target: list[float]  # gripper tip [x, y, z] at the next keyframe, metres
    options: list[str]  # texts without their letters
    answer: Letter
    prompt: str  # the whole user text, without the image token


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One question whose answer is written, not chosen (Robot-R1's open-ended form, Table 9)."""

    id: str  # that of the multiple-choice question
    split: Split
    type: Literal["waypoint", "state"]
    task: str
    image: str
    answer: list[float]  # the true state, metres (and radians, gripper)
    prompt: str


@dataclass(frozen=True, slots=True)
class PlanningQuestion:
    """Which actions remain at one frame (RoboGPT-R1's form)."""

    id: str  # <task>/variation<V>/episode<E>/frame<F>/planning
    split: Split
    type: Literal["planning"]
    task: str
    variation: int
    image: str
    instruction: str
    actions: list[str]  # names; an action's id is its place
    answer: list[int]  # ids of the actions that remain, in order
    prompt: str


@dataclass(frozen=True, slots=True)
class SftExample:
    """One demonstration answer for supervised fine-tuning."""

    id: str
    split: Split
    form: Literal["direct", "cot", "planning"]
    task: str
    image: str
    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one policy answered to one question, and whether it was right."""

    id: str
    policy: str
    split: Split
    type: QuestionType
    task: str
    completion: str
    letter: Letter | None  # None: no letter could be read from the completion
    answer: Letter
    correct: bool
    formatted: bool


Record = TypeVar("Record", Keyframes, Question, OpenQuestion, PlanningQuestion, SftExample, Prediction)


def write_records(path: Path | str, records: Iterable[Record]) -> None:
    """Write `records` to `path` atomically, one JSON object a line."""
    with paths.atomic_write(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        for record in records:
            line = {"schema": SCHEMA, **dataclasses.asdict(record)}
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")


def stream_records(path: Path | str, kind: type[Record]) -> Iterator[Record]:
    """Yield the records of `path` one by one.

    Raises RecordError where the file is missing, or a line is not JSON, has another schema version, or lacks, adds
    or mistypes a field.
    """
    path = Path(path)
    if not path.is_file():
        raise RecordError(f"{paths.relative(path)} is missing; run the stage that writes it (`dvc repro`)")
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            yield _parse(line, kind, f"{paths.relative(path)}, line {number}")


def read_records(path: Path | str, kind: type[Record]) -> list[Record]:
    """All records of `path`, in its order. Raises RecordError as `stream_records` does."""
    return list(stream_records(path, kind))


def _parse(line: str, kind: type[Record], place: str) -> Record:
    hint = "run the stage that writes this file again"
    try:
        mapping = json.loads(line)
    except json.JSONDecodeError as error:
        raise RecordError(f"{place}: not JSON ({error.msg} at column {error.colno}); {hint}") from None
    if not isinstance(mapping, dict):
        raise RecordError(f"{place}: expected an object, got {type(mapping).__name__}; {hint}")
    schema = mapping.pop("schema", None)
    if schema != SCHEMA:
        raise RecordError(f"{place}: schema: got {schema!r}, this version reads {SCHEMA}; {hint}")
    try:
        return fields.build(kind, mapping)
    except fields.FieldError as error:
        raise RecordError(f"{place}: {error} in a {kind.__name__} record; {hint}") from None
