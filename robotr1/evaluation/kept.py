"""What policies did beyond the multiple-choice exam, on disk: judged answers and played episodes, as JSON lines.

They lie beside a policy's other predictions: `<policy>/faithfulness.jsonl`, `planning.jsonl`, `reasoning.jsonl`,
`spatial.jsonl`, `closed_loop.jsonl`, `embodied.jsonl` and, for the few episodes that are shown,
`film/<task>-<episode>-<picture>.png`.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from robotr1 import fields, paths
from robotr1.evaluation.closed_loop.results import Step, Trace
from robotr1.evaluation.eb_manipulation.results import Episode
from robotr1.evaluation.faithfulness.results import Probed
from robotr1.evaluation.judging.rubric import Judgement
from robotr1.evaluation.open_questions.scoring import Scored
from robotr1.evaluation.planning.run import PlanAnswer
from robotr1.evaluation.spatialrgpt.run import SpatialAnswer
from robotr1.records import RecordError

Row = TypeVar("Row", Scored, SpatialAnswer, PlanAnswer, Trace, Episode, Probed)


def write_answers(rows: Sequence[Scored], folder: Path = paths.PREDICTIONS) -> None:
    """Write judged answers, a file for each policy; a person (or `agreement.read_human_scores`' raters) can go through
    them."""
    _write_each(rows, "reasoning.jsonl", folder)


def read_answers(folder: Path = paths.PREDICTIONS) -> list[Scored]:
    """All judged answers below `folder`. Raises RecordError where a line is broken."""

    def scored(mapping: dict[str, Any], file: Path) -> Scored:
        return fields.build(Scored, mapping | {"judgement": fields.build(Judgement, mapping["judgement"])})

    return _read(folder, "reasoning.jsonl", scored)


def write_spatial(rows: Sequence[SpatialAnswer], folder: Path = paths.PREDICTIONS) -> None:
    """Write answers to SpatialRGPT-Bench's questions, a file for each policy."""
    _write_each(rows, "spatial.jsonl", folder)


def read_spatial_answers(folder: Path = paths.PREDICTIONS) -> list[SpatialAnswer]:
    """All answers to SpatialRGPT-Bench's questions below `folder`. Raises RecordError where a line is broken."""
    return _read(folder, "spatial.jsonl", lambda mapping, file: fields.build(SpatialAnswer, mapping))


def write_probed(rows: Sequence[Probed], folder: Path = paths.PREDICTIONS) -> None:
    """Write answers behind given thoughts, a file for each policy."""
    _write_each(rows, "faithfulness.jsonl", folder)


def read_probed(folder: Path = paths.PREDICTIONS) -> list[Probed]:
    """All answers behind given thoughts below `folder`. Raises RecordError where a line is broken."""
    return _read(folder, "faithfulness.jsonl", lambda mapping, file: fields.build(Probed, mapping))


def write_embodied(rows: Sequence[Episode], folder: Path = paths.PREDICTIONS) -> None:
    """Write episodes of the EB-Manipulation protocol, a file for each policy."""
    _write_each(rows, "embodied.jsonl", folder)


def read_embodied(folder: Path = paths.PREDICTIONS) -> list[Episode]:
    """All episodes of the EB-Manipulation protocol below `folder`. Raises RecordError where a line is broken."""
    return _read(folder, "embodied.jsonl", lambda mapping, file: fields.build(Episode, mapping))


def write_plans(rows: Sequence[PlanAnswer], folder: Path = paths.PREDICTIONS) -> None:
    """Write plans that policies listed, a file for each policy."""
    _write_each(rows, "planning.jsonl", folder)


def read_plans(folder: Path = paths.PREDICTIONS) -> list[PlanAnswer]:
    """All listed plans below `folder`. Raises RecordError where a line is broken."""
    return _read(folder, "planning.jsonl", lambda mapping, file: fields.build(PlanAnswer, mapping))


def write_traces(traces: Sequence[Trace], folder: Path = paths.PREDICTIONS, shown: Sequence[Trace] = ()) -> None:
    """Write episodes, a file for each policy, and what was seen in those of `shown` (of `traces`) as PNG."""
    for policy in dict.fromkeys(trace.policy for trace in traces):
        mine = [trace for trace in traces if trace.policy == policy]
        _write(folder / policy / "closed_loop.jsonl", map(_without_images, mine))
    for trace in shown:
        for number, image in enumerate([*(step.image for step in trace.steps), trace.last_image]):
            if image is not None:
                file = _picture(folder / trace.policy, trace.task, trace.episode, number)
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(file)


def read_traces(folder: Path = paths.PREDICTIONS) -> list[Trace]:
    """All episodes below `folder`, the shown ones with their images. Raises RecordError where a line is broken."""

    def trace(mapping: dict[str, Any], file: Path) -> Trace:
        def seen(number: int) -> np.ndarray | None:
            picture = _picture(file.parent, mapping["task"], mapping["episode"], number)
            return np.asarray(Image.open(picture).convert("RGB")) if picture.is_file() else None

        steps = [fields.build(Step, step | {"image": seen(number)}) for number, step in enumerate(mapping["steps"])]
        return fields.build(Trace, mapping | {"steps": steps, "last_image": seen(len(steps))})

    return _read(folder, "closed_loop.jsonl", trace)


def _without_images(trace: Trace) -> dict[str, Any]:
    mapping = {field.name: getattr(trace, field.name) for field in dataclasses.fields(trace)}
    steps = [
        {field.name: getattr(step, field.name) for field in dataclasses.fields(step) if field.name != "image"}
        for step in trace.steps
    ]
    return {name: value for name, value in mapping.items() if name != "last_image"} | {"steps": steps}


def _picture(folder: Path, task: str, episode: int, number: int) -> Path:
    return folder / "film" / f"{task}-{episode}-{number}.png"


def _write_each(rows: Sequence[Any], name: str, folder: Path) -> None:
    for policy in dict.fromkeys(row.policy for row in rows):
        _write(folder / policy / name, (dataclasses.asdict(row) for row in rows if row.policy == policy))


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    paths.write_text(path, "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def _read(folder: Path, name: str, build: Callable[[dict[str, Any], Path], Row]) -> list[Row]:
    rows = []
    for file in sorted(folder.glob(f"*/{name}")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                rows.append(build(json.loads(line), file))
            except (ValueError, KeyError, TypeError, OSError) as error:
                place = f"{paths.relative(file)}, line {number}"
                raise RecordError(f"{place}: {error}; run `dvc repro run_benchmarks`") from error
    return rows
