"""The ablation in one page: mean and deviation over seeds, paired differences, and what the thoughts speak of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np

from robotr1 import paths
from robotr1.ablation.compare import (
    ALL,
    FORM_NAMES,
    OTHER_OPTIONS,
    SPLITS,
    Answers,
    Comparison,
    Difference,
    accuracies,
    compare,
    deviation,
    scores,
)
from robotr1.ablation.paper import agreement, in_paper
from robotr1.ablation.plan import FOLDER, read_plan
from robotr1.evaluation.multiple_choice.consistency import examine
from robotr1.evaluation.multiple_choice.run import read_questions
from robotr1.evaluation.multiple_choice.scoring import read_predictions
from robotr1.questions.audit.strategies import StrategyGuess, best_guesses
from robotr1.records import Prediction, Question
from robotr1.report.sections.written_positions import nearer_to_gripper

matplotlib.use("Agg")
import matplotlib.pyplot as plt

MEASURABLE = 0.5


def table(given: Answers, runs: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Accuracy of each seed, by run (and the form, where it is another) and split, over all types asked."""
    rows: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        for form, name in FORM_NAMES.items():
            for split in SPLITS:
                if found := scores(given, run, split, ALL, form):
                    rows.setdefault(run + name, {})[split] = accuracies(found)
    return rows


def thoughts(
    given: Answers, questions: Mapping[str, Question], runs: Sequence[str]
) -> dict[str, dict[str, list[float]]]:
    """For each run and seed, on test_in: the share of completions whose letter `agrees` with the thought (as in
    `consistency`), and of waypoint thoughts whose place lies nearer to the `gripper` than to the next waypoint.

    A run where fewer than MEASURABLE of the completions say something that can be measured has no share.
    """
    rows: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        for seed in scores(given, run, "test_in", ALL):
            asked = [(p, questions[p.id]) for p in given[f"{run}-{seed}"] if p.split == "test_in"]
            agrees = [examine(p, question)["agrees"] for p, question in asked]
            gripper = [nearer_to_gripper(p.completion, question) for p, question in asked if p.type == "waypoint"]
            for name, found in (("agrees", agrees), ("gripper", gripper)):
                measured = [value for value in found if value is not None]
                if measured and len(measured) >= MEASURABLE * len(found):
                    rows.setdefault(run, {}).setdefault(name, []).append(float(np.mean(measured)))
    return rows


def draw(rows: Mapping[str, Mapping[str, list[float]]], path: Path) -> None:
    """One line a run: every seed as a dot, the mean as a stroke; a rule between forms, which ask other questions."""
    form_of = {name: next(form for form in reversed(FORM_NAMES.values()) if name.endswith(form)) for name in rows}
    names = sorted(rows, key=lambda name: list(FORM_NAMES.values()).index(form_of[name]))  # stable: else as they came
    figure, axes = plt.subplots(1, 2, figsize=(9, 0.27 * len(rows) + 1.2), sharey=True, layout="constrained")
    for ax, split in zip(axes, ("test_in", "test_out"), strict=True):
        for place, name in enumerate(names):
            seeds = rows[name].get(split, [])
            ax.plot(seeds, [place] * len(seeds), "o", color="#0072B2", alpha=0.6, markersize=5)
            if seeds:
                ax.plot(np.mean(seeds), place, "|", color="black", markersize=12)
            if place and form_of[name] != form_of[names[place - 1]]:
                ax.axhline(place - 0.5, color="0.6", linewidth=0.8)
        ax.axvline(0.25, color="0.6", linestyle=":", linewidth=1)
        ax.grid(axis="x", color="0.9", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.set(title=SPLITS[split], xlabel="accuracy", xlim=(-0.02, 1))
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    with paths.atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=120)
    plt.close(figure)


def page(
    rows: Mapping[str, Mapping[str, list[float]]],
    made: Sequence[tuple[Comparison, dict[str, Difference]]],
    spoken: Mapping[str, Mapping[str, list[float]]],
    blind: Mapping[str, float],
) -> str:
    """The report as Markdown. `blind` is, by split, what `blind_guesses` found for the other options."""
    lines = [
        "# What makes the difference",
        "",
        "Accuracy in percent: mean ± standard deviation over the training seeds. *New episodes* are of the training",
        "tasks, *new tasks* were never trained on. *Own form*: asked openly, as in training; the option nearest to the",
        "written position counts, and there are no movement questions. *Other options*: waypoint questions only, whose",
        "wrong options are places that the gripper visits in the same episode. Compare such rows with their like only.",
        *([f"Without the image, the best guess at them is right in {told}."] if (told := guesses(blind)) else []),
        "",
        "| run | seeds | " + " | ".join(SPLITS.values()) + " |",
        "| --- | --- |" + " --- |" * len(SPLITS),
    ]
    for name, row in rows.items():
        cells = [with_spread(row[split]) if split in row else "" for split in SPLITS]
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
        for split, d in found.items():
            p = ", ".join(f"{value:.2g}" for value in d.p_values)
            change = f"{100 * d.mean:+.1f} {spread(d.by_seed)} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
            kinds = "" if len(one.types) == len(ALL) else f" ({', '.join(one.types)})"
            lines.append(f"| {one.name}{kinds} | {SPLITS[split]} | {change} | {p} | {d.verdict} |")
    lines += beside_the_paper(made)
    lines += ["", "## What the thoughts speak of", ""]
    lines += [
        "New episodes, percent of the completions where it can be measured, if these are half of all at least.",
        "*Agrees*: the letter is the option that the thought speaks for. *Gripper*: the place written about the next",
        "waypoint lies nearer to the gripper than to that waypoint.",
        "",
        "| run | agrees | gripper |",
        "| --- | --- | --- |",
    ]
    for name, row in spoken.items():
        lines.append(f"| {name} | " + " | ".join(with_spread(row.get(key, [])) for key in ("agrees", "gripper")) + " |")
    return "\n".join(lines) + "\n"


def beside_the_paper(made: Sequence[tuple[Comparison, dict[str, Difference]]]) -> list[str]:
    """The lines that set the directions of the paper's tables beside ours; none where no comparison is in the paper."""
    rows = []
    for one, found in made:
        told = in_paper(one.run, one.other)
        if told is not None and one.other_form != OTHER_OPTIONS:
            verdicts = [d.verdict for d in found.values()]
            here = "; ".join(f"{d.verdict} ({SPLITS[split]})" for split, d in found.items())
            rows.append(f"| {one.name} | {told[0]:+.2f}, {told[1]} | {here} | {agreement(told[0], verdicts)} |")
    if not rows:
        return []
    return [
        "",
        "## Beside the paper",
        "",
        "The paper's side is the mean difference of its judge's scores (0 to 3) on its own bench, from one run each",
        "with a 7B model; ours is multiple choice with a tiny one. So only directions can be compared. *Agrees*: one",
        "split at least shows the paper's direction and none the other.",
        "",
        "| compared | the paper | here | |",
        "|" + " --- |" * 4,
        *rows,
    ]


def blind_guesses(card: Mapping, strategy: str) -> dict[str, float]:
    """By split, the best accuracy of a policy that sees no image, at waypoints with `strategy`'s wrong options."""
    best = best_guesses([StrategyGuess(**row) for row in card["strategies"]])
    wanted = (strategy, "waypoint", False)
    return {guess.split: guess.accuracy for guess in best if (guess.strategy, guess.type, guess.stated) == wanted}


def guesses(blind: Mapping[str, float]) -> str:
    return ", ".join(f"{100 * share:.1f} % ({SPLITS[split]})" for split, share in blind.items())


def with_spread(seeds: Sequence[float]) -> str:
    return f"{100 * np.mean(seeds):.1f} {spread(seeds)}".strip() if seeds else "–"


def spread(values: Sequence[float]) -> str:
    return f"± {100 * deviation(values):.1f}" if len(values) > 1 else ""


def main(folder: Path = FOLDER) -> None:
    """Read all predictions below `folder` and write report.md, accuracy.png and metrics/report.json there."""
    runs = list(read_plan(folder)["runs"])
    given: dict[str, list[Prediction]] = {}
    for run in sorted((folder / "predictions").iterdir()):
        for prediction in read_predictions(run):
            given.setdefault(prediction.policy, []).append(prediction)
    questions = {question.id: question for question in read_questions()}
    rows, made = table(given, runs), compare(given)
    spoken = thoughts(given, questions, runs)
    card = paths.QUESTIONS / "card.json"
    blind = blind_guesses(json.loads(card.read_text()), OTHER_OPTIONS.removeprefix("-")) if card.is_file() else {}
    draw(rows, folder / "accuracy.png")
    paths.write_text(folder / "report.md", page(rows, made, spoken, blind))
    differences = {
        f"{one.name} ({', '.join(one.types)})": {
            split: {"difference": d.mean, "std": d.std, "low": d.low, "high": d.high, "verdict": d.verdict}
            for split, d in found.items()
        }
        for one, found in made
    }
    means = {name: {split: np.mean(seeds) for split, seeds in row.items()} for name, row in rows.items()}
    said = {name: {key: np.mean(seeds) for key, seeds in row.items()} for name, row in spoken.items()}
    paths.write_json(folder / "metrics/report.json", {"accuracy": means, "thoughts": said, "differences": differences})
    print(f"{paths.relative(folder / 'report.md')}: {len(rows)} rows, {len(made)} comparisons")


if __name__ == "__main__":
    main()
