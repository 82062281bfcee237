"""A benchmark of open questions after Robot-R1 Bench (section 3.4), which its authors have not released.

As there: 10 tasks x 5 frames, 215 questions in free text, 65 spatial and 50 each on the whole plan, the next step and
the movement; half of the tasks were trained on. The references here are computed from the simulator's true state and
the tasks' scripts (`reasoning_items` writes them), in the paper's words for directions, seen from the front camera.

The items lie in `items/`, one JSON object a line, for a person to read and correct: what the judge compares with is the
text of the reference. `frames.jsonl` says how each image was drawn, so that it can be drawn again.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from robotr1 import fields
from robotr1.evaluation.judging.rubric import ABILITIES, BEST, Ability, Case, Judge, answer_text
from robotr1.evaluation.open_questions.results import Scored
from robotr1.records import RecordError, read_records
from robotr1.statistics import mean_interval, sign_flip_test, with_holm

ITEMS = Path(__file__).parents[1] / "items"
COLUMNS = ("policy", "judge", "ability", "distribution", "items", "frames", "score", "low", "high")
COLUMNS += ("frame_low", "frame_high", "no_answer", "judge_failed")
COMPARISON_COLUMNS = ("policy", "baseline", "judge", "ability", "items", "frames")
COMPARISON_COLUMNS += ("difference", "low", "high", "p_value")

GUIDE = {  # one sentence an ability, as the paper's system prompt has (figure 9)
    "spatial": "Say where things are relative to each other, or what was asked, and nothing else.",
    "planning": "List all remaining steps in order, one short action each.",
    "high_level": "Name only the one next step.",
    "movement": 'Give only the directions the gripper moves in; put "slightly" before the smaller ones.',
}
DIRECTIONS = (
    "Directions are those of the image: up and down; forward is toward the camera, backward away from it; right and "
    "left as the camera sees them."
)


@dataclass(frozen=True, slots=True)
class ReasoningItem:
    """One open question about one image."""

    id: str  # <frame>/<ability>, or <frame>/<ability>-<k> where a frame has several
    frame: str  # <task>/<number>: the questions of one image stand or fall together
    ability: Ability
    distribution: Literal["in", "out"]  # whether policies are trained on the task
    task: str
    image: str  # relative to the repository root
    instruction: str
    question: str
    reference: str

    @property
    def prompt(self) -> str:
        """The whole user text, without the image token."""
        return "\n".join(
            [
                f"Task: {self.instruction.rstrip('.')}.",
                f"{DIRECTIONS} {GUIDE[self.ability]} Answer only what is asked, briefly.",
                f"Question: {self.question}",
                "Think first, between <think> and </think>; then give the answer between <answer> and </answer>.",
            ]
        )


class BracketError(ValueError):
    """The oracle misses the ceiling or a guess reaches too far: items and judge do not fit together."""


def read_items(path: Path = ITEMS / "reasoning.jsonl") -> list[ReasoningItem]:
    """The committed items. Raises RecordError where a line is broken or an id is there twice."""
    items = read_records(path, ReasoningItem)
    if twice := [name for name, count in Counter(item.id for item in items).items() if count > 1]:
        raise RecordError(f"{path}: {twice[0]} is there twice; every item needs its own id")
    return items


def read_authors_items(path: Path, images: Path) -> list[ReasoningItem]:
    """The authors' benchmark, should it be released.

    Assumption, since nothing is known of its form: a JSON list of objects with `question`, `ground_truth` (the names in
    the paper's judge prompt, figure 10), `category` (planning, high-level action, movement, spatial), `image` and
    `task`; optionally `distribution` (in, out) and `instruction`. Raises RecordError for anything else.
    """
    names = {"high-level action": "high_level", "high_level action": "high_level", "high-level": "high_level"}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        items = []
        for number, row in enumerate(rows):
            category = names.get(row["category"].lower(), row["category"].lower())
            values = {
                "id": f"{row['task']}/{row['image']}/{category}-{number}",
                "frame": f"{row['task']}/{row['image']}",
                "ability": category,
                "distribution": row.get("distribution", "out"),
                "task": row["task"],
                "image": (images / row["image"]).as_posix(),
                "instruction": row.get("instruction", row["task"].replace("_", " ")),
                "question": row["question"],
                "reference": row["ground_truth"],
            }
            items.append(fields.build(ReasoningItem, values))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path}: not the form that this reader assumes ({error!r}); see its docstring") from error
    return items


def score(policy: str, items: Sequence[ReasoningItem], completions: Sequence[str | None], judge: Judge) -> list[Scored]:
    """Judge what is inside <answer> of each completion; None stands for a question that could not be asked.

    Raises ValueError where the numbers of items and completions differ.
    """
    return score_all({policy: completions}, items, judge)


def score_all(
    written: Mapping[str, Sequence[str | None]], items: Sequence[ReasoningItem], judge: Judge
) -> list[Scored]:
    """The same for several policies at once, so that a judge which costs something says beforehand what all will."""
    for policy, completions in written.items():
        if len(items) != len(completions):
            raise ValueError(f"{policy}: {len(items)} items but {len(completions)} completions")
    asked = [(policy, *pair) for policy, completions in written.items() for pair in zip(items, completions)]
    answers = [None if text is None else answer_text(text) for _, _, text in asked]
    cases = [Case(item.ability, item.question, item.reference, answer) for (_, item, _), answer in zip(asked, answers)]
    return [
        Scored(item.id, item.frame, item.ability, item.distribution, policy, judge.name, completion, answer, judgement)
        for (policy, item, completion), answer, judgement in zip(asked, answers, judge.judge(cases))
    ]


def control_answers(items: Sequence[ReasoningItem], seed: int = 0) -> dict[str, list[str]]:
    """Completions of the policies that need no model.

    oracle: the reference. random: the reference of another item of the same ability. majority: the reference that is
    most frequent in its ability, always. text_only: the one that is most frequent among the other frames' items with
    the same task and question, or else the majority: what can be said without seeing the image.
    """
    by_ability = {ability: [item for item in items if item.ability == ability] for ability in ABILITIES}
    most = {name: Counter(item.reference for item in group).most_common(1) for name, group in by_ability.items()}
    guesses, blind = [], []
    for item in items:
        alike = [
            other.reference
            for other in by_ability[item.ability]
            if (other.task, other.question) == (item.task, item.question) and other.frame != item.frame
        ]
        blind.append(Counter(alike).most_common(1)[0][0] if alike else most[item.ability][0][0])
        others = [other.reference for other in by_ability[item.ability] if other.id != item.id] or [item.reference]
        guesses.append(others[np.random.default_rng([seed, *item.id.encode()]).integers(len(others))])
    answers = {
        "oracle": [item.reference for item in items],
        "random": guesses,
        "majority": [most[item.ability][0][0] for item in items],
        "text_only": blind,
    }
    return {name: [f"<think> </think> <answer> {text} </answer>" for text in texts] for name, texts in answers.items()}


def controls(items: Sequence[ReasoningItem], judge: Judge, seed: int = 0) -> list[Scored]:
    """The judged answers of the policies that need no model."""
    return score_all(control_answers(items, seed), items, judge)


def guess_level(items: Sequence[ReasoningItem], judge: Judge) -> dict[str, tuple[float, float]]:
    """For each ability, what a random other item's reference scores: expected mean and its standard deviation.

    Every pair of items is judged, so `judge` must be one that costs nothing.
    """
    levels = {}
    for ability in sorted({item.ability for item in items}):
        group = [item for item in items if item.ability == ability]
        cases = [
            Case(ability, item.question, item.reference, other.reference)
            for item in group
            for other in group
            if other.id != item.id
        ]
        if not cases:
            continue
        scores = np.array([verdict.score for verdict in judge.judge(cases)]).reshape(len(group), -1)
        levels[ability] = float(scores.mean()), float(np.sqrt(scores.var(axis=1).sum()) / len(group))
    return levels


def check_brackets(items: Sequence[ReasoningItem], judge: Judge, seed: int = 0) -> pd.DataFrame:
    """The scores of the controls, by ability; raises BracketError where they are not what they must be.

    The oracle must get 3 on every item. Random must lie within five standard deviations of what all pairs of items
    give, and random and majority must stay clearly, half a point, below the oracle.
    """
    rows = controls(items, judge, seed)
    if low := [row for row in rows if row.policy == "oracle" and row.judgement.score != BEST]:
        raise BracketError(
            f"the reference of {low[0].id} gets {low[0].judgement.score} against itself ({low[0].judgement.reason}), "
            f"and {len(low) - 1} more; correct the items"
        )
    table = summarize(rows)
    means = table[table["distribution"] == "all"].set_index(["policy", "ability"])["score"]
    for ability, (expected, deviation) in guess_level(items, judge).items():
        got = means["random", ability]
        if abs(got - expected) > 5 * deviation + 1e-9:
            raise BracketError(f"{ability}: random scores {got:.2f}, where all pairs of items give {expected:.2f}")
        for name in ("random", "majority"):
            if means[name, ability] > BEST - 0.5:
                raise BracketError(
                    f"{ability}: {name} scores {means[name, ability]:.2f} of {BEST}; the items are too alike"
                )
    return table


def summarize(rows: Iterable[Scored], confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """The mean score (0 to 3) of each policy and judge by ability, in and out of distribution, and "all".

    One row per group: `items`, `frames`, `score` with the bootstrap interval over items (`low`, `high`) and over whole
    frames (`frame_low`, `frame_high`), and the counts `no_answer` (scored 0) and `judge_failed` (not in the mean).
    """
    groups: dict[tuple, list[Scored]] = {}
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
    rows: Iterable[Scored], pairs: Sequence[tuple[str, str]], confidence: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Paired differences of scores on the items that both policies answered, by ability and judge.

    One row per pair, judge and ability: `items`, `frames`, `difference` of the mean scores with its bootstrap interval
    over whole frames, the two-sided `p_value` of a permutation test that flips the sign of whole frames, and `p_holm`
    over all rows.
    """
    scores: dict[tuple[str, str, str], dict[str, Scored]] = {}
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


def scores_of(rows: Iterable[Scored]) -> Mapping[tuple[str, str], int]:
    """The scores by (policy, item), without those that the judge could not give: what `agreement` compares."""
    return {(row.policy, row.id): row.judgement.score for row in rows if row.judgement.score is not None}
