"""Predictions of the multiple-choice benchmark on disk, accuracies and paired comparisons.

Tables are pandas frames with one row per policy, split and question type; type "all" pools the types.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.multiple_choice.items import SPLITS
from robotr1.policies.names import BLANK, parse_name
from robotr1.records import Prediction, Question, QuestionType, RecordError, read_by_policy, write_by_policy
from robotr1.statistics import accuracy_interval, clustered_interval, paired_difference, with_holm

TYPES = ("all", *get_args(QuestionType))
SHARE_COLUMNS = ("questions", "episodes", "share", "low", "high", "episode_low", "episode_high")
PAIRED_COLUMNS = ("questions", "difference", "low", "high", "gained", "lost", "p_value")


def write(predictions: Sequence[Prediction], folder: Path = paths.PREDICTIONS) -> None:
    """Write predictions as `<folder>/<policy>/<split>.jsonl`."""
    for split in sorted({prediction.split for prediction in predictions}):
        write_by_policy(folder, f"{split}.jsonl", [one for one in predictions if one.split == split])


def read(folder: Path = paths.PREDICTIONS) -> list[Prediction]:
    """Read all multiple-choice predictions below `folder`, sorted by policy and split.

    Raises RecordError for a broken line, and for a prediction in the file of another policy or split.
    """
    predictions = []
    for split in SPLITS:
        found = read_by_policy(folder, f"{split}.jsonl", Prediction, key=("id",))
        if strange := [one for one in found if one.split != split]:
            place = f"{paths.relative(folder)}/{strange[0].policy}/{split}.jsonl"
            raise RecordError(f"{place}: {strange[0].id} is of the split {strange[0].split}; run the benchmarks again")
        predictions += found
    return sorted(predictions, key=lambda prediction: (prediction.policy, prediction.split))


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


def set_accuracy(
    predictions: Iterable[Prediction], questions: Iterable[Question], confidence: float = 0.95
) -> pd.DataFrame:
    """Share of paired sets whose questions are all answered correctly, by policy, split and type.

    Returns one row per group with `sets`, `accuracy` and its interval. A set counts where all its questions were
    answered. By chance, a policy that answers each question at random gets (1/4)^4, and one that ignores the image 0.
    """
    sets: dict[str, list[str]] = {}
    for question in questions:
        if question.set is not None:
            sets.setdefault(question.set, []).append(question.id)
    rows = []
    for (policy, split, kind), group in groups(predictions, "type").items():
        correct = {prediction.id: prediction.correct for prediction in group}
        answered = [all(correct[i] for i in ids) for ids in sets.values() if all(i in correct for i in ids)]
        if answered:
            share, low, high = accuracy_interval(answered, confidence)
            rows.append([policy, split, kind, len(answered), share, low, high])
    return pd.DataFrame(rows, columns=["policy", "split", "type", "sets", "accuracy", "low", "high"])


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
    """The study's comparisons among the given policies.

    Every trained policy with the base, supervised ones in the open form too; every reinforced policy with the
    supervised ones, the text-only control and itself with blank images; the base with itself with blank images.
    """
    policies = sorted(policies)
    supervised = [name for name in policies if parse_name(name).supervised]
    reinforced = [name for name in policies if parse_name(name).reinforced and parse_name(name).images == "real"]
    pairs = [(name, "base") for name in reinforced + supervised]
    pairs += [(name, other) for name in reinforced for other in [*supervised, "text_only", name + BLANK]]
    pairs += [("base", "base" + BLANK)]
    return [pair for pair in pairs if set(pair) <= set(policies)]


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
