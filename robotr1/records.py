"""Read and write dataclasses as JSON lines, one record a line, each with the version of its schema.

A broken line stops the study with its file, line number and field: a silently dropped question would change every
accuracy after it. Lines end at "\\n" only; other line separators of Unicode are data.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from robotr1 import fields, paths
from robotr1.fields import optional, prompt_text

SCHEMA = 1
AGAIN = "run the stage that writes this file again"

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
    instruction: str = prompt_text()
    length: int  # number of frames
    keyframes: list[int]  # frame indices, rising


@dataclass(frozen=True, slots=True)
class Question:
    """One multiple-choice question about one frame (Robot-R1 section 3.2)."""

    id: str  # <task>/variation<V>/episode<E>/frame<F>/<type>, followed by -<N> in set N of paired options
    split: Split
    type: QuestionType
    task: str
    variation: int
    episode: int
    frame: int
    keyframe: int  # index of the next keyframe
    image: str  # relative to the repository root, forward slashes
    instruction: str = prompt_text()
    state: list[float]  # gripper tip [x, y, z] now, metres
    target: list[float]  # gripper tip [x, y, z] at the next keyframe, metres
    options: list[str] = prompt_text()  # texts without their letters
    answer: Letter
    prompt: str = prompt_text()  # the whole user text, without the image token
    set: str | None = optional()  # paired options: <task>/<split>/<type>/<N>, shared by the four questions of a set


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One question with a free-text answer instead of options (Robot-R1's open-ended form, Table 9)."""

    id: str  # of the multiple-choice question
    split: Split
    type: Literal["waypoint", "state"]
    task: str
    image: str
    answer: list[float]  # the true state, metres (and radians, gripper)
    prompt: str = prompt_text()


@dataclass(frozen=True, slots=True)
class PlanningQuestion:
    """One question about the actions that remain at one frame (RoboGPT-R1's form)."""

    id: str  # <task>/variation<V>/episode<E>/frame<F>/planning
    split: Split
    type: Literal["planning"]
    task: str
    variation: int
    image: str
    instruction: str = prompt_text()
    actions: list[str] = prompt_text()  # names; an action's id is its index
    answer: list[int]  # ids of the actions that remain, in order
    prompt: str = prompt_text()


@dataclass(frozen=True, slots=True)
class SftExample:
    """One demonstration answer for supervised fine-tuning."""

    id: str
    split: Split
    form: Literal["direct", "cot", "planning"]
    task: str
    image: str
    prompt: str = prompt_text()
    completion: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """One policy's answer to one multiple-choice question, and whether it is right."""

    id: str
    policy: str
    split: Split
    type: QuestionType
    task: str
    completion: str
    letter: Letter | None  # None: the completion has no readable letter
    answer: Letter
    correct: bool
    formatted: bool


Record = TypeVar("Record")  # any dataclass


def write_records(path: Path | str, records: Iterable[Any]) -> None:
    """Write dataclasses to `path` atomically, one JSON object a line."""
    with paths.atomic_write(path) as temporary, open(temporary, "wb") as file:
        for record in records:
            file.write(_line({"schema": SCHEMA, **fields.to_mapping(record)}))


def read_records(path: Path | str, kind: type[Record]) -> list[Record]:
    """All records of `path`, in its order. Raises RecordError as `stream_records` does."""
    return list(stream_records(path, kind))


def stream_records(path: Path | str, kind: type[Record]) -> Iterator[Record]:
    """Yield the records of `path` one by one.

    Raises RecordError where the file is missing, or a line is not JSON, has another schema version, or lacks, adds
    or mistypes a field.
    """
    for place, mapping in read_objects(path):
        schema = mapping.pop("schema", None)
        if schema != SCHEMA:
            raise RecordError(
                f"{place}: schema: got {fields.shown_value(schema)}, this version reads {SCHEMA}; {AGAIN}"
            )
        try:
            yield fields.build(kind, mapping)
        except fields.FieldError as error:
            raise RecordError(f"{place}: {error} in a {kind.__name__} record; {AGAIN}") from None


def write_by_policy(folder: Path, name: str, rows: Sequence[Any]) -> None:
    """Write rows (dataclasses with a `policy`) as `<folder>/<policy>/<name>`, one file for each policy.

    Raises RecordError for a policy that cannot be the name of a folder.
    """
    for policy in dict.fromkeys(row.policy for row in rows):
        if not policy or policy.startswith(".") or Path(policy).name != policy:
            raise RecordError(f"policy {policy!r}: not the name of a folder, so its {name} could not be read again")
        write_records(folder / policy / name, [row for row in rows if row.policy == policy])


def read_by_policy(folder: Path, name: str, kind: type[Record], key: Sequence[str]) -> list[Record]:
    """The rows of every `<folder>/<policy>/<name>`, policies in alphabetical order; empty where there is no file.

    `key` names the fields that tell a policy's rows apart. Raises RecordError as `stream_records` does, and where a
    file has a row twice, or one of another policy.
    """
    rows = []
    for file in sorted(folder.glob(f"*/{name}")):
        mine = read_records(file, kind)
        if strange := [row.policy for row in mine if row.policy != file.parent.name]:
            raise RecordError(
                f"{paths.relative(file)}: has rows of the policy {strange[0]!r}; the folder must have the policy's name"
            )
        keys = Counter(tuple(getattr(row, field) for field in key) for row in mine)
        if twice := [key for key, count in keys.items() if count > 1]:
            raise RecordError(f"{paths.relative(file)}: has {twice[0]} twice; {AGAIN}")
        rows += mine
    return rows


def read_objects(path: Path | str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) for each JSON line of `path`; empty lines at its end are no lines.

    `place` names file and line for messages. Raises RecordError where the file is missing or a line holds no object.
    """
    path = Path(path)
    if not path.is_file():
        raise RecordError(f"{paths.relative(path)} is missing; run the stage that writes it (`dvc repro`)")
    with open(path, "rb") as file:
        blank = None
        for number, line in enumerate(file, start=1):
            place = f"{paths.relative(path)}, line {number}"
            if line in (b"\n", b"\r\n"):
                blank = blank or place
                continue
            if blank:
                raise RecordError(f"{blank}: not JSON (the line is empty); {AGAIN}")
            yield place, _parse(line, place)


def _line(mapping: dict[str, Any]) -> bytes:
    try:
        return json.dumps(mapping, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot hold and an escape can
        return json.dumps(mapping, allow_nan=False).encode() + b"\n"


def _parse(line: bytes, place: str) -> dict[str, Any]:
    try:
        mapping = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError: bytes that are not UTF-8, text that is not JSON
        raise RecordError(f"{place}: not JSON ({error}); {AGAIN}") from None
    if not isinstance(mapping, dict):
        raise RecordError(f"{place}: expected an object, got {type(mapping).__name__}; {AGAIN}")
    return mapping
