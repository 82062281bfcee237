"""Read what a run of the study left on disk for the report: questions, answers and training logs."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.closed_loop import results as closed_loop
from robotr1.evaluation.closed_loop.results import Trace
from robotr1.evaluation.eb_manipulation import results as eb_manipulation
from robotr1.evaluation.eb_manipulation.results import Episode
from robotr1.evaluation.faithfulness import results as faithfulness
from robotr1.evaluation.faithfulness.results import Probed
from robotr1.evaluation.multiple_choice.results import read as read_predictions
from robotr1.evaluation.open_questions import results as open_questions
from robotr1.evaluation.open_questions.results import OpenAnswer
from robotr1.evaluation.spatialrgpt import results as spatialrgpt
from robotr1.evaluation.spatialrgpt.results import SpatialAnswer
from robotr1.records import Prediction, Question, RecordError, read_objects, read_records
from robotr1.report.style.names import ordered


@dataclass(frozen=True)
class Study:
    """A study's questions and what its policies answered, a list for each benchmark.

    `training` holds one frame for each training run, a row for each step, by the policy's name.
    """

    questions: dict[str, Question]
    predictions: list[Prediction]
    training: dict[str, pd.DataFrame] = field(default_factory=dict)
    faithfulness: list[Probed] = field(default_factory=list)
    open_questions: list[OpenAnswer] = field(default_factory=list)
    spatialrgpt: list[SpatialAnswer] = field(default_factory=list)
    closed_loop: list[Trace] = field(default_factory=list)
    eb_manipulation: list[Episode] = field(default_factory=list)
    question_audit: pd.DataFrame = field(default_factory=pd.DataFrame)  # blind guesses for each distractor strategy


def read_study(
    predictions: Path = paths.PREDICTIONS, questions: Path = paths.QUESTIONS, models: Path = paths.MODELS
) -> Study:
    """Read everything below the three folders.

    Raises:
        RecordError: there are no predictions, a line is broken, or a prediction has no question.
    """
    answered = read_predictions(predictions)
    if not answered:
        raise RecordError(f"{paths.relative(predictions)} holds no predictions; run `dvc repro run_benchmarks`")
    splits = sorted({prediction.split for prediction in answered})
    by_id = {q.id: q for split in splits for q in read_records(questions / f"{split}.jsonl", Question)}
    if missing := [prediction for prediction in answered if prediction.id not in by_id]:
        raise RecordError(
            f"{paths.relative(predictions)}/{missing[0].policy}: {missing[0].id} is not among the questions; "
            "the questions changed since, so run `dvc repro run_benchmarks`"
        )
    policies = {prediction.policy for prediction in answered}
    return Study(
        questions=by_id,
        predictions=answered,
        training={name: log for name, log in read_training_logs(models).items() if name in policies},
        faithfulness=faithfulness.read(predictions),
        open_questions=open_questions.read(predictions),
        spatialrgpt=spatialrgpt.read(predictions),
        closed_loop=closed_loop.read(predictions),
        eb_manipulation=eb_manipulation.read(predictions),
        question_audit=read_question_audit(questions),
    )


def read_question_audit(folder: Path = paths.QUESTIONS) -> pd.DataFrame:
    """The shortcut audit of every distractor strategy from `<folder>/card.json`; empty if there is no such file."""
    path = folder / "card.json"
    return pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))["strategies"] if path.is_file() else [])


def read_training_logs(folder: Path = paths.MODELS) -> dict[str, pd.DataFrame]:
    """The log of each trained policy, `<folder>/<policy>/log.jsonl`: one row for each step.

    Raises:
        RecordError: a line is not JSON.
    """
    logs = {}
    for path in sorted(folder.glob("*/log.jsonl")):
        if rows := [entry for _, entry in read_objects(path)]:
            logs[path.parent.name] = pd.DataFrame(rows)
    return {name: logs[name] for name in ordered(logs)}
