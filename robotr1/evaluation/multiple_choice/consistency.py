"""Measure whether the written reasoning fits the chosen letter and the scene, before and after reinforcement learning.

The paper shows reasoning traces and does not measure this. A reward on the letter alone leaves the words free, so they
may become an empty phrase while the letters improve. Each completion has three measures:

- `agrees`: the chosen letter is the option nearest to the last position in the reasoning (a difference of positions,
  "is [dx, dy, dz]:", is no position); in movement questions it is an option with the fewest words that differ from the
  written movement.
- `names`: the object named before that position is the one of the question: the gripper in state questions, the
  task's object in the others.
- `close`: that position is within `close_distance` of the true one: where the gripper is (state questions) or will be
  at the next keyframe.

Each share is over the completions where it can be measured; their number is in the table.
"""

import math
import re
from collections.abc import Iterable, Sequence

import pandas as pd

from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.evaluation.multiple_choice.results import (
    PAIRED_COLUMNS,
    SHARE_COLUMNS,
    groups,
    paired_columns,
    share_columns,
)
from robotr1.policies.names import parse_name
from robotr1.questions.answers import parse_position, thought
from robotr1.questions.thoughts import letters_written, without_displacements
from robotr1.records import Prediction, Question
from robotr1.statistics import with_holm

MEASURES = ("agrees", "names", "close")
NAMES = ("gripper", *dict.fromkeys(name for names in OBJECTS.values() for name in names))

_OBJECT = re.compile(rf"\b({'|'.join(NAMES)})\b", re.IGNORECASE)


def objects_of(question: Question) -> tuple[str, ...]:
    """The gripper in state questions, the task's objects in the others; none for an unknown task."""
    return ("gripper",) if question.type == "state" else OBJECTS.get(question.task, ())


def object_named(reasoning: str) -> str | None:
    """The object named last before the last position in the reasoning; without a position, before its end."""
    before, bracket, _ = reasoning.rpartition("[")
    names = _OBJECT.findall(before if bracket else reasoning)
    return names[-1].lower() if names else None


def true_position(question: Question) -> list[float]:
    """Where the gripper is (state questions) or will be at the next keyframe (the others); [x, y, z] in metres."""
    return (question.state if question.type == "state" else question.target)[:3]


def examine(prediction: Prediction, question: Question, close_distance: float = 0.05) -> dict[str, bool | None]:
    """The three measures of one completion; None where one cannot be taken. `close_distance` is in metres."""
    reasoning = without_displacements(thought(prediction.completion))
    letters, named = letters_written(question.type, question.options, reasoning), object_named(reasoning)
    position, asked = parse_position(reasoning), objects_of(question)
    return {
        "agrees": prediction.letter in letters if letters and prediction.letter else None,
        "names": named in asked if named and asked else None,
        "close": math.dist(position, true_position(question)) <= close_distance if position else None,
    }


def consistency(
    predictions: Iterable[Prediction],
    questions: Iterable[Question],
    close_distance: float = 0.05,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """The three shares for each policy, split and type ("all" pools the types).

    Returns one row per group and measure: `completions` in the group, then the columns of `results.share_columns`,
    where `questions` counts the measurable completions. Controls, blank images and the open form are left out: they
    have no reasoning.
    """
    rows = []
    for (policy, split, kind), outcomes in _outcomes(predictions, questions, close_distance).items():
        for measure in MEASURES:
            measured = {name: row[measure] for name, row in outcomes.items() if row[measure] is not None}
            names = {"policy": policy, "split": split, "type": kind, "measure": measure, "completions": len(outcomes)}
            rows.append(names | share_columns(measured, confidence, seed))
    return pd.DataFrame(rows, columns=["policy", "split", "type", "measure", "completions", *SHARE_COLUMNS])


def consistency_change(
    predictions: Iterable[Prediction],
    questions: Iterable[Question],
    pairs: Sequence[tuple[str, str]],
    close_distance: float = 0.05,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Paired change of the three shares from `baseline` to `policy`, on completions measurable in both; types pooled.

    Returns the columns of `results.paired_columns` and `p_holm`, one row per pair, split and measure.
    """
    outcomes = _outcomes(predictions, questions, close_distance)
    rows = []
    for policy, baseline in pairs:
        for split in sorted({split for name, split, _ in outcomes if name == policy}):
            ours, theirs = outcomes[policy, split, "all"], outcomes.get((baseline, split, "all"), {})
            for measure in MEASURES:
                pair = [
                    {name: row[measure] for name, row in side.items() if row[measure] is not None}
                    for side in (ours, theirs)
                ]
                if pair[0].keys() & pair[1].keys():
                    names = {"policy": policy, "baseline": baseline, "split": split, "measure": measure}
                    rows.append(names | paired_columns(*pair, confidence, seed))
    return with_holm(pd.DataFrame(rows, columns=["policy", "baseline", "split", "measure", *PAIRED_COLUMNS]))


def _outcomes(
    predictions: Iterable[Prediction], questions: Iterable[Question], close_distance: float
) -> dict[tuple[str, str, str], dict[str, dict[str, bool | None]]]:
    """Measures by question id, for each policy, split and type, without controls, blank images and the open form."""
    asked = {question.id: question for question in questions}
    reasoned = [p for p in predictions if parse_name(p.policy).plain and not parse_name(p.policy).control]
    return {
        key: {p.id: examine(p, asked[p.id], close_distance) for p in group}
        for key, group in groups(reasoned, "type").items()
    }
