"""The ablation in one page: mean and deviation over seeds, paired differences, and what they answer.

Two runs are compared on the questions that both answered. A question's score is its mean over the seeds; the interval
of the difference draws whole episodes (statistics.mean_interval), and beside it stands McNemar's exact test for each
seed alone (statistics.paired_difference). A difference counts only where the interval leaves out zero and every seed
has its sign: three seeds are few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np

from robotr1 import paths
from robotr1.ablation.plan import FOLDER, read_plan
from robotr1.evaluation.mcqa import OPEN_TYPES, OWN_FORM, episode_of, read_predictions
from robotr1.records import Prediction
from robotr1.statistics import mean_interval, paired_difference

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SPLITS = {"validation": "validation", "test_in": "new episodes", "test_out": "new tasks"}
Scores = dict[int, dict[str, bool]]  # by seed, then by question
BOTH, POSITIONS = ("waypoint", "state", "movement"), OPEN_TYPES


@dataclass(frozen=True)
class Comparison:
    """Is `run` better than `other`? On questions of `types`; "own" answers are those in the form that was trained."""

    question: str
    run: str
    other: str
    types: tuple[str, ...] = BOTH
    run_own: bool = False
    other_own: bool = False


COMPARISONS = (
    Comparison("GRPO or imitation?", "grpo", "sft_direct", POSITIONS, other_own=True),
    Comparison("GRPO or imitation?", "grpo", "sft_cot", POSITIONS, other_own=True),
    Comparison("GRPO or imitation?", "grpo", "base"),
    Comparison("Which algorithm?", "rloo", "grpo"),
    Comparison("Which algorithm?", "reinforce_plus_plus", "grpo"),
    Comparison("Which questions?", "waypoint", "grpo"),
    Comparison("Which questions?", "waypoint_state", "grpo"),
    Comparison("Which questions?", "waypoint_state", "waypoint"),
    Comparison("Cold start?", "cold_start_grpo", "grpo"),
    Comparison("Cold start?", "cold_start_grpo", "cold_start"),
    Comparison("Metadata in the prompt?", "metadata", "grpo"),
    Comparison("Metadata in the prompt?", "base_metadata", "base"),
    Comparison("Open reward?", "open", "grpo", POSITIONS, run_own=True),
    Comparison("Open reward?", "open", "waypoint_state", POSITIONS),
)


@dataclass(frozen=True)
class Difference:
    """Accuracy of one run minus that of another on shared questions, seeds averaged; `std` is over the seeds."""

    mean: float
    std: float  # nan with one seed
    low: float
    high: float
    by_seed: list[float]
    p_values: list[float]  # exact McNemar, one for each seed

    @property
    def verdict(self) -> Literal["better", "worse", "not told apart"]:
        if self.low > 0 and min(self.by_seed) > 0:
            return "better"
        if self.high < 0 and max(self.by_seed) < 0:
            return "worse"
        return "not told apart"


def scores(predictions: Sequence[Prediction], run: str, split: str, types: Sequence[str], own: bool) -> Scores:
    """Right or wrong for each seed and question of one run, in the multiple-choice form or in its own."""
    found: Scores = {}
    for prediction in predictions:
        plain = prediction.policy.removesuffix(OWN_FORM)
        name, _, seed = plain.rpartition("-")
        if (name, own, prediction.split) == (run, plain != prediction.policy, split) and prediction.type in types:
            found.setdefault(int(seed), {})[prediction.id] = prediction.correct
    return found


def difference(ours: Scores, theirs: Scores, confidence: float = 0.95) -> Difference:
    """Compare seed by seed; an untrained policy has one seed only, which then stands against each of the other's.

    Raises ValueError where the two share no seeds or answered no common question.
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
    return Difference(mean, deviation(by_seed), low, high, by_seed, [test.p_value for test in tests])


def of_seed(one: Scores, seed: int) -> dict[str, bool]:
    """The answers of a seed; those of the only seed where there is one."""
    return one[seed] if len(one) > 1 else next(iter(one.values()))


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of a sample; nan where there is one value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def accuracies(one: Scores) -> list[float]:
    return [float(np.mean(list(answers.values()))) for _, answers in sorted(one.items())]


def table(predictions: Sequence[Prediction], runs: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Accuracy of each seed, by run (with ", own form" where it was asked in one) and split, over all types asked."""
    rows: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        for own in (False, True):
            for split in SPLITS:
                if found := scores(predictions, run, split, BOTH, own):
                    rows.setdefault(run + (", own form" if own else ""), {})[split] = accuracies(found)
    return rows


def compare(predictions: Sequence[Prediction]) -> list[tuple[Comparison, dict[str, Difference]]]:
    """Every comparison whose runs are there, on both test splits."""
    made = []
    for one in COMPARISONS:
        found = {}
        for split in ("test_in", "test_out"):
            ours = scores(predictions, one.run, split, one.types, one.run_own)
            theirs = scores(predictions, one.other, split, one.types, one.other_own)
            if ours and theirs:
                found[split] = difference(ours, theirs)
        if found:
            made.append((one, found))
    return made


def draw(rows: Mapping[str, Mapping[str, list[float]]], path: Path) -> None:
    """One line a run: every seed as a dot, the mean as a stroke."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 0.34 * len(rows) + 1.2), sharey=True, layout="constrained")
    for ax, split in zip(axes, ("test_in", "test_out"), strict=True):
        for place, seeds in enumerate(row.get(split, []) for row in rows.values()):
            ax.plot(seeds, [place] * len(seeds), "o", color="#0072B2", alpha=0.6, markersize=5)
            if seeds:
                ax.plot(np.mean(seeds), place, "|", color="black", markersize=14)
        ax.axvline(0.25, color="0.6", linestyle=":", linewidth=1)
        ax.set(title=SPLITS[split], xlabel="accuracy")
    axes[0].set_yticks(range(len(rows)), list(rows))
    axes[0].invert_yaxis()
    with paths.atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=120)
    plt.close(figure)


def page(
    rows: Mapping[str, Mapping[str, list[float]]], made: Sequence[tuple[Comparison, dict[str, Difference]]]
) -> str:
    """The report as Markdown."""
    lines = [
        "# What makes the difference",
        "",
        "Accuracy in percent: mean ± standard deviation over the training seeds. *New episodes* are of the training",
        "tasks, *new tasks* were never trained on. *Own form*: asked openly, as in training; the option nearest to the",
        "written position counts, and there are no movement questions, so compare such a row with others below only.",
        "",
        "| run | seeds | " + " | ".join(SPLITS.values()) + " |",
        "| --- | --- |" + " --- |" * len(SPLITS),
    ]
    for name, row in rows.items():
        cells = [f"{100 * np.mean(row[s]):.1f} {spread(row[s])}".strip() if s in row else "" for s in SPLITS]
        lines.append(f"| {name} | {max(map(len, row.values()))} | " + " | ".join(cells) + " |")
    lines += ["", "![accuracy](accuracy.png)", "", "## Paired comparisons", ""]
    lines += [
        "Differences in percentage points on the questions that both answered, with the 95 % interval over episodes; p",
        "is McNemar's exact test for each seed alone. *Better* and *worse* are said only where the interval leaves out",
        "zero and all seeds agree. Comparisons with an own form are on waypoint and state questions.",
    ]
    question = ""
    for one, found in made:
        if one.question != question:
            question = one.question
            lines += ["", f"### {question}", "", "| compared | on | difference | p by seed | |", "|" + " --- |" * 5]
        names = f"{one.run}{', own form' * one.run_own} − {one.other}{', own form' * one.other_own}"
        for split, d in found.items():
            p = ", ".join(f"{value:.2g}" for value in d.p_values)
            change = f"{100 * d.mean:+.1f} {spread(d.by_seed)} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
            lines.append(f"| {names} | {SPLITS[split]} | {change} | {p} | {d.verdict} |")
    return "\n".join(lines) + "\n"


def spread(values: Sequence[float]) -> str:
    return f"± {100 * deviation(values):.1f}" if len(values) > 1 else ""


def main(folder: Path = FOLDER) -> None:
    """Read all predictions below `folder` and write report.md, accuracy.png and metrics/report.json there."""
    predictions = [p for run in sorted((folder / "predictions").iterdir()) for p in read_predictions(run)]
    rows, made = table(predictions, list(read_plan(folder)["runs"])), compare(predictions)
    draw(rows, folder / "accuracy.png")
    paths.write_text(folder / "report.md", page(rows, made))
    differences = {
        f"{one.run}{'_own' * one.run_own}-{one.other}{'_own' * one.other_own}": {
            split: {"difference": d.mean, "std": d.std, "low": d.low, "high": d.high, "verdict": d.verdict}
            for split, d in found.items()
        }
        for one, found in made
    }
    means = {name: {split: np.mean(seeds) for split, seeds in row.items()} for name, row in rows.items()}
    paths.write_json(folder / "metrics/report.json", {"accuracy": means, "differences": differences})
    print(f"{paths.relative(folder / 'report.md')}: {len(rows)} rows, {len(made)} comparisons")


if __name__ == "__main__":
    main()
