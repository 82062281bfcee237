"""Report of the ablation, `python -m robotr1.ablation.report`: report.md, accuracy.png and metrics/report.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from robotr1 import paths
from robotr1.ablation.compare import ALL, FORM_NAMES, OTHER_OPTIONS, SPLITS, Answers, accuracies, compare, scores
from robotr1.ablation.figure import plot_accuracy
from robotr1.ablation.page import page
from robotr1.ablation.plan import FOLDER, read_plan
from robotr1.evaluation.multiple_choice.consistency import examine
from robotr1.evaluation.multiple_choice.items import read_questions
from robotr1.evaluation.multiple_choice.results import read as read_predictions
from robotr1.questions.audit.strategies import StrategyGuess, best_guesses
from robotr1.records import Prediction, Question
from robotr1.report.sections.written_positions import nearer_to_gripper

MEASURABLE = 0.5  # share of completions that must be measurable


def accuracy_table(given: Answers, runs: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Accuracies of all seeds, by run (with its form, if not the study's) and split, over all types answered."""
    rows: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        for form, name in FORM_NAMES.items():
            for split in SPLITS:
                if found := scores(given, run, split, ALL, form):
                    rows.setdefault(run + name, {})[split] = accuracies(found)
    return rows


def thought_table(
    given: Answers, questions: Mapping[str, Question], runs: Sequence[str]
) -> dict[str, dict[str, list[float]]]:
    """Two shares for each run and seed on test_in.

    agrees   completions whose letter matches the thought (as in `consistency`)
    gripper  waypoint thoughts whose position is nearer to the gripper than to the next waypoint

    A run has no share where fewer than MEASURABLE of its completions can be measured.
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


def blind_guesses(card: Mapping, strategy: str) -> dict[str, float]:
    """The best blind accuracy on waypoint questions with `strategy`'s distractors, by split, from the question card."""
    best = best_guesses([StrategyGuess(**row) for row in card["strategies"]])
    wanted = (strategy, "waypoint", False)
    return {guess.split: guess.accuracy for guess in best if (guess.strategy, guess.type, guess.stated) == wanted}


def main(folder: Path = FOLDER) -> None:
    """Read all predictions in `folder` and write report.md, accuracy.png and metrics/report.json there."""
    runs = list(read_plan(folder)["runs"])
    given: dict[str, list[Prediction]] = {}
    for run in sorted((folder / "predictions").iterdir()):
        for prediction in read_predictions(run):
            given.setdefault(prediction.policy, []).append(prediction)
    questions = {question.id: question for question in read_questions()}
    rows, made = accuracy_table(given, runs), compare(given)
    spoken = thought_table(given, questions, runs)
    card = paths.QUESTIONS / "card.json"
    blind = blind_guesses(json.loads(card.read_text()), OTHER_OPTIONS.removeprefix("-")) if card.is_file() else {}
    plot_accuracy(rows, folder / "accuracy.png")
    paths.write_text(folder / "report.md", page(rows, made, spoken, blind))
    differences = {
        f"{one.name} ({', '.join(one.types)})": {
            split: {"difference": d.mean, "std": d.std, "low": d.low, "high": d.high, "verdict": d.verdict}
            | {"questions": d.questions}
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
