"""From completions to predictions, accuracies and paired comparisons.

A completion counts as right only where exactly one letter can be read from its answer (Robot-R1 section 3.3); a
completion without a readable letter is wrong, and is also counted as unparsable so that nobody takes a broken form for
a wrong belief. Tables are pandas frames, one row per policy, split and question type; type "all" pools the types.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import pandas as pd

from robotr1 import paths
from robotr1.questions.answers import is_formatted, parse_answer, parse_state
from robotr1.questions.prompts import LETTERS
from robotr1.questions.thoughts import nearest_option
from robotr1.records import Prediction, Question, QuestionType, read_records, write_records
from robotr1.statistics import accuracy_interval, clustered_interval, paired_difference, with_holm

SPLITS = ("validation", "test_in", "test_out")
TYPES = ("all", *get_args(QuestionType))
OPEN_TYPES = ("waypoint", "state")  # the types whose answer is a position, so that it can be asked without options
OWN_FORM = "-own-form"
BLANK = "-blank"
REFERENCES = ("oracle", "random", "majority", "text_only")


def evaluate(policy: str, questions: Sequence[Question], completions: Sequence[str]) -> list[Prediction]:
    """Score completions of the multiple-choice form: right where the one letter in the answer is the true one.

    A letter that is not among the question's options counts as unreadable.

    Raises:
        ValueError: numbers of questions and completions differ.
    """
    _check_lengths(policy, questions, completions)
    return [
        _prediction(policy, question, completion, _letter(question, parse_answer(completion)), is_formatted(completion))
        for question, completion in zip(questions, completions)
    ]


def evaluate_own_form(policy: str, questions: Sequence[Question], completions: Sequence[str]) -> list[Prediction]:
    """Score open answers "[x, y, z]": the letter is that of the option nearest to the written position.

    Where states are extended, the answer must hold all seven numbers, and the positions are compared.

    This is the kind form of scoring for supervised policies, which were never shown options (paper Figs 7-8):
    the predictions carry the policy's name with "-own-form" behind it. `formatted` says that a position was found.

    Raises:
        ValueError: numbers of questions and completions differ, or a question has no positions as options.
    """
    _check_lengths(policy, questions, completions)
    predictions = []
    for question, completion in zip(questions, completions):
        position = (parse_state(completion, len(question.state)) or [])[:3] or None
        letter = nearest_option(question.options, position)
        predictions.append(_prediction(policy + OWN_FORM, question, completion, letter, position is not None))
    return predictions


def write_predictions(predictions: Sequence[Prediction], folder: Path = paths.PREDICTIONS) -> None:
    """Write one policy's predictions as `<folder>/<policy>/<split>.jsonl`, one file per split that occurs."""
    for policy, split in sorted({(prediction.policy, prediction.split) for prediction in predictions}):
        rows = [prediction for prediction in predictions if (prediction.policy, prediction.split) == (policy, split)]
        write_records(folder / policy / f"{split}.jsonl", rows)


def read_predictions(folder: Path = paths.PREDICTIONS) -> list[Prediction]:
    """All multiple-choice predictions below `folder`, policies in alphabetical order, splits in theirs.

    Raises:
        RecordError: a line is broken, or there are no predictions at all.
    """
    files = [file for file in sorted(folder.glob("*/*.jsonl")) if file.stem in SPLITS]
    return [prediction for file in files for prediction in read_records(file, Prediction)]


def episode_of(question_id: str) -> str:
    """The episode that a question was taken from: its id up to the frame."""
    return question_id.rpartition("/frame")[0]


def summarize(
    predictions: Iterable[Prediction], confidence: float = 0.95, seed: int = 0, by: str = "type"
) -> pd.DataFrame:
    """Accuracy of each policy on each split, for each value of `by` ("type" or "task") and for "all".

    Returns one row per group with the columns of `share_columns` (`share` is called `accuracy`) and the counts
    `unparsable` (no letter) and `unformatted` (not the whole form). No predictions give an empty frame.
    """
    rows = []
    for (policy, split, value), group in groups(predictions, by).items():
        shares = share_columns({prediction.id: prediction.correct for prediction in group}, confidence, seed)
        rows.append(
            {"policy": policy, "split": split, by: value}
            | {"accuracy" if name == "share" else name: number for name, number in shares.items()}
            | {
                "unparsable": sum(prediction.letter is None for prediction in group),
                "unformatted": sum(not prediction.formatted for prediction in group),
            }
        )
    share_names = ["accuracy" if name == "share" else name for name in SHARE_COLUMNS]
    return pd.DataFrame(rows, columns=["policy", "split", by, *share_names, "unparsable", "unformatted"])


def compare(
    predictions: Iterable[Prediction],
    pairs: Sequence[tuple[str, str]],
    splits: Sequence[str] = SPLITS[1:],
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Paired comparisons of policies on the questions that both answered, by split and type.

    Returns one row per pair, split and type with the columns of `paired_columns`, and `p_holm`: the p-value after
    Holm's correction over all rows of the table. Pairs that share no question are left out.
    """
    by_group = groups(predictions, "type")
    rows = []
    for policy, baseline in pairs:
        for split in splits:
            for kind in TYPES:
                ours = {p.id: p.correct for p in by_group.get((policy, split, kind), [])}
                theirs = {p.id: p.correct for p in by_group.get((baseline, split, kind), [])}
                if ours.keys() & theirs.keys():
                    names = {"policy": policy, "baseline": baseline, "split": split, "type": kind}
                    rows.append(names | paired_columns(ours, theirs, confidence, seed))
    return with_holm(pd.DataFrame(rows, columns=["policy", "baseline", "split", "type", *PAIRED_COLUMNS]))


SHARE_COLUMNS = ("questions", "episodes", "share", "low", "high", "episode_low", "episode_high")
PAIRED_COLUMNS = ("questions", "difference", "low", "high", "gained", "lost", "p_value")


def share_columns(outcomes: dict[str, bool], confidence: float, seed: int) -> dict[str, float]:
    """The share of true outcomes (by question id) with Wilson's interval over questions (`low`, `high`) and the
    bootstrap interval over whole episodes (`episode_low`, `episode_high`). All are nan where there is no outcome."""
    episodes = [episode_of(name) for name in outcomes]
    if not outcomes:
        return dict.fromkeys(SHARE_COLUMNS, math.nan) | {"questions": 0, "episodes": 0}
    values = list(outcomes.values())
    _, *by_episode = clustered_interval(values, episodes, confidence, seed)
    numbers = (*accuracy_interval(values, confidence), *by_episode)
    return dict(zip(SHARE_COLUMNS, (len(values), len(set(episodes)), *numbers)))


def paired_columns(ours: dict[str, bool], theirs: dict[str, bool], confidence: float, seed: int) -> dict[str, float]:
    """Compare two sets of outcomes on the questions they share (there must be one): the `difference` of the shares with
    its bootstrap interval over episodes, the questions `gained` and `lost`, and the exact McNemar `p_value`."""
    shared = [name for name in ours if name in theirs]
    result = paired_difference(
        [ours[name] for name in shared],
        [theirs[name] for name in shared],
        confidence,
        seed,
        clusters=[episode_of(name) for name in shared],
    )
    numbers = (result.difference, result.low, result.high, result.gained, result.lost, result.p_value)
    return dict(zip(PAIRED_COLUMNS, (len(shared), *numbers)))


def standard_pairs(policies: Iterable[str]) -> list[tuple[str, str]]:
    """The comparisons that the study makes, among the policies that there are.

    Every trained policy against the base, supervised ones in their own form too; every reinforced policy against the
    supervised ones, the text-only reference and itself with blank images; the base against itself with blank images.
    """
    policies = sorted(policies)
    supervised = [name for name in policies if name.startswith("sft-")]
    reinforced = [name for name in policies if "-seed" in name and not name.endswith(BLANK)]
    pairs = [(name, "base") for name in reinforced + supervised]
    pairs += [(name, other) for name in reinforced for other in [*supervised, "text_only", name + BLANK]]
    pairs += [("base", "base" + BLANK)]
    return [pair for pair in pairs if set(pair) <= set(policies)]


def chance(questions: Iterable[Question]) -> float:
    """Expected accuracy of a uniform guess: the mean of 1 / number of options."""
    shares = [1 / len(question.options) for question in questions]
    return sum(shares) / len(shares) if shares else float("nan")


def groups(predictions: Iterable[Prediction], by: str) -> dict[tuple[str, str, str], list[Prediction]]:
    """Predictions by (policy, split, value of `by` and "all"), in a fixed order: splits and types as listed above.

    Raises ValueError where a policy answered the same question twice.
    """
    groups: dict[tuple[str, str, str], list[Prediction]] = {}
    seen: set[tuple[str, str]] = set()
    for prediction in predictions:
        if (key := (prediction.policy, prediction.id)) in seen:
            raise ValueError(f"{prediction.policy} answered {prediction.id} twice; run the benchmarks again")
        seen.add(key)
        for value in ("all", getattr(prediction, by)):
            groups.setdefault((prediction.policy, prediction.split, value), []).append(prediction)

    def order(key: tuple[str, str, str]) -> tuple:
        policy, split, value = key
        return policy, SPLITS.index(split), TYPES.index(value) if value in TYPES else len(TYPES), value

    return {key: groups[key] for key in sorted(groups, key=order)}


def _letter(question: Question, letter: str | None) -> str | None:
    return letter if letter and letter in LETTERS[: len(question.options)] else None


def _prediction(policy: str, question: Question, completion: str, letter: str | None, formatted: bool) -> Prediction:
    return Prediction(
        id=question.id,
        policy=policy,
        split=question.split,
        type=question.type,
        task=question.task,
        completion=completion,
        letter=letter,
        answer=question.answer,
        correct=letter == question.answer,
        formatted=formatted,
    )


def _check_lengths(policy: str, questions: Sequence[Question], completions: Sequence[str]) -> None:
    if len(questions) != len(completions):
        raise ValueError(f"{policy}: {len(questions)} questions but {len(completions)} completions")
