"""Judged answers to open questions: mean scores by ability, paired comparisons, and how far judges agree."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.judging import agreement
from robotr1.evaluation.judging.rubric import Ability, Judgement
from robotr1.records import read_by_policy, write_by_policy
from robotr1.statistics import mean_interval, sign_flip_test, with_holm

FILE = "reasoning.jsonl"  # of each policy in data/predictions; the name of committed results
COLUMNS = ("policy", "judge", "ability", "distribution", "items", "frames", "score", "low", "high")
COLUMNS += ("frame_low", "frame_high", "no_answer", "judge_failed")
COMPARISON_COLUMNS = ("policy", "baseline", "judge", "ability", "items", "frames")
COMPARISON_COLUMNS += ("difference", "low", "high", "p_value")
PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """One policy's answer to one item, with the verdict of one judge."""

    id: str
    frame: str
    ability: Ability
    distribution: str
    policy: str
    judge: str
    completion: str | None  # None: the item's image is missing
    answer: str | None
    judgement: Judgement


def write(rows: Sequence[OpenAnswer], folder: Path = paths.PREDICTIONS) -> None:
    """Write the judged answers, one file for each policy."""
    write_by_policy(folder, FILE, rows)


def read(folder: Path = paths.PREDICTIONS) -> list[OpenAnswer]:
    """Read the judged answers of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, OpenAnswer, key=("id", "judge"))


def summarize(rows: Iterable[OpenAnswer], confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """The mean score (0 to 3) of each policy and judge by ability, in and out of distribution, and "all".

    One row per group: `items`, `frames`, `score` with the bootstrap interval over items (`low`, `high`) and over whole
    frames (`frame_low`, `frame_high`), and the counts `no_answer` (scored 0) and `judge_failed` (not in the mean).
    """
    groups: dict[tuple, list[OpenAnswer]] = {}
    for row in rows:
        for distribution in ("all", row.distribution):
            groups.setdefault((row.policy, row.judge, row.ability, distribution), []).append(row)
    table = []
    for (policy, judge, ability, distribution), group in groups.items():
        judged = [row for row in group if row.judgement.score is not None]
        values, frames = [row.judgement.score for row in judged], [row.frame for row in judged]
        mean, low, high = mean_interval(values, confidence, seed)
        _, *by_frame = mean_interval(values, confidence, seed, frames)
        statuses = Counter(row.judgement.status for row in group)
        table.append(
            {"policy": policy, "judge": judge, "ability": ability, "distribution": distribution}
            | {"items": len(group), "frames": len({row.frame for row in group})}
            | {"score": mean, "low": low, "high": high}
            | dict(zip(("frame_low", "frame_high"), by_frame))
            | {status: statuses[status] for status in ("no_answer", "judge_failed")}
        )
    return pd.DataFrame(table, columns=list(COLUMNS))


def compare(
    rows: Iterable[OpenAnswer], pairs: Sequence[tuple[str, str]], confidence: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Paired differences of scores on the items that both policies answered, by ability and judge.

    One row per pair, judge and ability: `items`, `frames`, `difference` of the mean scores with its bootstrap interval
    over whole frames, the two-sided `p_value` of a permutation test that flips the sign of whole frames, and `p_holm`
    over all rows.
    """
    scores: dict[tuple[str, str, str], dict[str, OpenAnswer]] = {}
    for row in rows:
        if row.judgement.score is not None:
            scores.setdefault((row.policy, row.judge, row.ability), {})[row.id] = row
    table = []
    for policy, baseline in pairs:
        for name, judge, ability in scores:
            ours, theirs = scores[name, judge, ability], scores.get((baseline, judge, ability), {})
            shared = [item for item in ours if item in theirs]
            if name != policy or not shared:
                continue
            differences = [ours[item].judgement.score - theirs[item].judgement.score for item in shared]
            frames = [ours[item].frame for item in shared]
            mean, low, high = mean_interval(differences, confidence, seed, frames)
            by_frame = pd.Series(differences).groupby(frames).sum()
            table.append(
                {"policy": policy, "baseline": baseline, "judge": judge, "ability": ability, "items": len(shared)}
                | {"frames": len(by_frame), "difference": mean, "low": low, "high": high}
                | {"p_value": sign_flip_test(by_frame, seed)}
            )
    return with_holm(pd.DataFrame(table, columns=list(COMPARISON_COLUMNS)))


def between_judges(
    rows: Iterable[OpenAnswer],
    people: Mapping[tuple[str, str], float] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Agreement of the first judge in `rows` with every other one, and with `people` (`read_human_scores`).

    Missing answers are left out because no judge can err on them, and so is the oracle, which repeats the reference.
    Intervals resample whole frames. One row per other judge and ability with the columns of `agreement`.
    """
    scores: dict[str, dict[tuple[str, str], float]] = {}
    groups, clusters = {}, {}
    for row in rows:
        if row.judgement.status == "scored" and row.policy != "oracle":
            key = row.policy, row.id
            scores.setdefault(row.judge, {})[key] = row.judgement.score
            groups[key], clusters[key] = row.ability, row.frame
    first = next(iter(scores), None)
    others = {name: found for name, found in scores.items() if name != first} | ({PEOPLE: people} if people else {})
    tables = [
        agreement.agreement(scores[first], found, groups, clusters, confidence, seed).assign(judge=first, other=name)
        for name, found in others.items()
        if first
    ]
    columns = ["judge", "other", "group", *agreement.COLUMNS]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
