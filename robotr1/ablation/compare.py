"""Compare runs of the ablation, paired by question and by seed.

Two runs are compared on the questions that both answered. A question's score is its mean over the seeds. The interval
of the difference resamples whole episodes (`statistics.mean_interval`); McNemar's exact test is reported for each seed
(`statistics.paired_difference`). With only three seeds, a difference counts if the interval excludes zero and all seeds
have the same sign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from robotr1.evaluation.multiple_choice.items import OPEN_TYPES
from robotr1.evaluation.multiple_choice.results import episode_of
from robotr1.policies.names import OPEN_FORM
from robotr1.records import Prediction
from robotr1.statistics import mean_interval, paired_difference

SPLITS = {"validation": "validation", "test_in": "new episodes", "test_out": "new tasks"}
OTHER_OPTIONS = "-same_episode"  # suffix of a run's name on waypoint questions with same_episode distractors
Answers = Mapping[str, Sequence[Prediction]]  # by policy: the run, its seed and the form
Scores = dict[int, dict[str, bool]]  # by seed, then by question
ALL, POSITIONS, WAYPOINTS = ("waypoint", "state", "movement"), OPEN_TYPES, ("waypoint",)
FORM_NAMES = {"": "", OPEN_FORM: ", open form", OTHER_OPTIONS: ", other options"}


@dataclass(frozen=True)
class Comparison:
    """Is `run` better than `other` on questions of `types`?

    The forms are multiple choice ("", as in the study), the open form that a policy was trained in (`OPEN_FORM`), or
    multiple choice with other distractors (`OTHER_OPTIONS`).
    """

    question: str
    run: str
    other: str
    types: tuple[str, ...] = ALL
    run_form: str = ""
    other_form: str = ""

    @property
    def name(self) -> str:
        return f"{self.run}{FORM_NAMES[self.run_form]} − {self.other}{FORM_NAMES[self.other_form]}"


COMPARISONS = (
    Comparison("GRPO or imitation?", "grpo", "sft_direct", POSITIONS, other_form=OPEN_FORM),
    Comparison("GRPO or imitation?", "grpo", "sft_cot", POSITIONS, other_form=OPEN_FORM),
    Comparison("GRPO or imitation?", "grpo", "base"),
    Comparison("Which algorithm?", "rloo", "grpo"),
    Comparison("Which algorithm?", "reinforce_plus_plus", "grpo"),
    Comparison("Which questions?", "waypoint", "grpo"),
    Comparison("Which questions?", "waypoint_state", "grpo"),
    Comparison("Which questions?", "waypoint_state", "waypoint"),
    Comparison("Wrong options near the arm?", "same_episode", "grpo", WAYPOINTS, OTHER_OPTIONS, OTHER_OPTIONS),
    Comparison("Wrong options near the arm?", "same_episode", "base", WAYPOINTS, OTHER_OPTIONS, OTHER_OPTIONS),
    Comparison("Wrong options near the arm?", "grpo", "base", WAYPOINTS, OTHER_OPTIONS, OTHER_OPTIONS),
    Comparison("Wrong options near the arm?", "same_episode", "grpo", WAYPOINTS),
    Comparison("A reward for agreement?", "consistency", "grpo"),
    Comparison("Cold start?", "cold_start_grpo", "grpo"),
    Comparison("Cold start?", "cold_start_grpo", "cold_start"),
    Comparison("Metadata in the prompt?", "metadata", "grpo"),
    Comparison("Metadata in the prompt?", "base_metadata", "base"),
    Comparison("Open reward?", "open", "grpo", POSITIONS, run_form=OPEN_FORM),
    Comparison("Open reward?", "open", "waypoint_state", POSITIONS),
)


@dataclass(frozen=True)
class Difference:
    """Accuracy of one run minus that of another on shared questions, averaged over seeds; `std` is over the seeds."""

    mean: float
    std: float  # nan with one seed
    low: float
    high: float
    by_seed: list[float]
    p_values: list[float]  # exact McNemar test, one per seed
    questions: int  # that both runs answered

    @property
    def verdict(self) -> Literal["better", "worse", "not told apart"]:
        if self.low > 0 and min(self.by_seed) > 0:
            return "better"
        if self.high < 0 and max(self.by_seed) < 0:
            return "worse"
        return "not told apart"


def scores(given: Answers, run: str, split: str, types: Sequence[str], form: str = "") -> Scores:
    """Whether each answer of one run in one form is correct, by seed and question."""
    found: Scores = {}
    for policy, predictions in given.items():
        seed = policy.removeprefix(f"{run}-").removesuffix(form)
        answers = {p.id: p.correct for p in predictions if p.split == split and p.type in types}
        if seed.isdecimal() and policy == f"{run}-{seed}{form}" and answers:
            found[int(seed)] = answers
    return found


def difference(ours: Scores, theirs: Scores, confidence: float = 0.95) -> Difference:
    """Compare seed by seed; the one seed of an untrained policy is compared with each seed of the other run.

    Raises ValueError where the two runs share no seed or no question.
    """
    lone = len(ours) == 1 or len(theirs) == 1
    seeds = sorted({*ours, *theirs}) if lone else sorted({*ours} & {*theirs})
    pairs = [(of_seed(ours, seed), of_seed(theirs, seed)) for seed in seeds if ours and theirs]
    shared = sorted(set.intersection(*({*a} & {*b} for a, b in pairs))) if pairs else []
    if not shared:
        raise ValueError("the two runs share no seed or no question")
    clusters = [episode_of(name) for name in shared]
    tests = [paired_difference([a[q] for q in shared], [b[q] for q in shared], clusters=clusters) for a, b in pairs]
    each = [float(np.mean([a[q] - b[q] for a, b in pairs])) for q in shared]
    mean, low, high = mean_interval(each, confidence, clusters=clusters)
    by_seed = [test.difference for test in tests]
    return Difference(mean, deviation(by_seed), low, high, by_seed, [test.p_value for test in tests], len(shared))


def of_seed(one: Scores, seed: int) -> dict[str, bool]:
    """The answers of a seed, or of the only seed."""
    return one[seed] if len(one) > 1 else next(iter(one.values()))


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of a sample; nan for a single value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def accuracies(one: Scores) -> list[float]:
    return [float(np.mean(list(answers.values()))) for _, answers in sorted(one.items())]


def compare(given: Answers) -> list[tuple[Comparison, dict[str, Difference]]]:
    """Make every comparison whose runs have answers, on both test splits."""
    made = []
    for one in COMPARISONS:
        found = {}
        for split in ("test_in", "test_out"):
            ours = scores(given, one.run, split, one.types, one.run_form)
            theirs = scores(given, one.other, split, one.types, one.other_form)
            if ours and theirs:
                found[split] = difference(ours, theirs)
        if found:
            made.append((one, found))
    return made
