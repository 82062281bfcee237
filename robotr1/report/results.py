"""Everything that the report shows, computed once from predictions, questions and training logs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from robotr1 import paths
from robotr1.evaluation.closed_loop import results as traces
from robotr1.evaluation.closed_loop.results import Trace
from robotr1.evaluation.eb_manipulation import results as embodied_results
from robotr1.evaluation.eb_manipulation.results import Episode
from robotr1.evaluation.faithfulness import results as faithfulness_results
from robotr1.evaluation.faithfulness.results import Probed
from robotr1.evaluation.judging.agreement import read_human_scores
from robotr1.evaluation.multiple_choice.consistency import consistency, consistency_change
from robotr1.evaluation.multiple_choice.items import SPLITS, chance
from robotr1.evaluation.multiple_choice.results import TYPES, compare, standard_pairs, summarize
from robotr1.evaluation.multiple_choice.results import read as read_predictions
from robotr1.evaluation.multiple_choice.seeds import over_seeds
from robotr1.evaluation.open_questions import results as open_results
from robotr1.evaluation.open_questions.results import OpenAnswer
from robotr1.evaluation.spatialrgpt import results as spatial_results
from robotr1.evaluation.spatialrgpt.results import SpatialAnswer
from robotr1.records import Prediction, Question, RecordError, read_objects, read_records
from robotr1.report.names import headline_policy, is_reinforced, is_trained, label, ordered
from robotr1.settings import AnalyzeResults

TRAINED, HELD_OUT = "tasks trained on", "tasks never trained on"  # two rows of the closed loop's table


@dataclass(frozen=True)
class Results:
    """Tables of the study (pandas frames as `evaluation` makes them) with what they were computed from.

    `training` holds one frame per training run, a row per step, by the policy's name.
    """

    settings: AnalyzeResults
    questions: dict[str, Question]
    predictions: list[Prediction]
    accuracy: pd.DataFrame
    by_task: pd.DataFrame
    comparisons: pd.DataFrame
    consistency: pd.DataFrame
    consistency_change: pd.DataFrame
    training: dict[str, pd.DataFrame]
    chance: float
    seeds: pd.DataFrame  # accuracies of each algorithm over its seeds
    reasoning: pd.DataFrame  # judge's scores of free text
    reasoning_comparisons: pd.DataFrame
    acting: pd.DataFrame  # success in the closed loop
    acting_comparisons: pd.DataFrame
    traces: list[Trace]
    agreement: pd.DataFrame = field(default_factory=pd.DataFrame)  # of judges with each other and with people
    spatial: pd.DataFrame = field(default_factory=pd.DataFrame)  # accuracy on SpatialRGPT-Bench's questions
    embodied: pd.DataFrame = field(default_factory=pd.DataFrame)  # success in EB-Manipulation's protocol, by subset
    faithfulness: pd.DataFrame = field(default_factory=pd.DataFrame)  # shares behind given thoughts
    faithfulness_changes: pd.DataFrame = field(default_factory=pd.DataFrame)  # of them, from the own thought
    strategies: pd.DataFrame = field(default_factory=pd.DataFrame)  # the audit of every way to draw wrong options

    @property
    def policies(self) -> list[str]:
        return ordered(self.accuracy["policy"])

    @property
    def splits(self) -> list[str]:
        return [split for split in SPLITS if split in set(self.accuracy["split"])]

    @property
    def test_splits(self) -> list[str]:
        """The splits that figures show: the test splits, or whatever there is."""
        return [split for split in self.splits if split.startswith("test")] or self.splits

    @property
    def headline_policy(self) -> str | None:
        return headline_policy(self.policies)


def load_results(
    settings: AnalyzeResults,
    predictions_folder: Path = paths.PREDICTIONS,
    questions_folder: Path = paths.QUESTIONS,
    models_folder: Path = paths.MODELS,
) -> Results:
    """Read and compute everything.

    Raises:
        RecordError: there are no predictions, a line is broken, or a prediction has no question.
        ScoresError: the people's scores cannot be read.
    """
    predictions = read_predictions(predictions_folder)
    if not predictions:
        raise RecordError(f"{paths.relative(predictions_folder)} holds no predictions; run `dvc repro run_benchmarks`")
    splits = sorted({prediction.split for prediction in predictions})
    questions = {q.id: q for split in splits for q in read_records(questions_folder / f"{split}.jsonl", Question)}
    if missing := [prediction for prediction in predictions if prediction.id not in questions]:
        raise RecordError(
            f"{paths.relative(predictions_folder)}/{missing[0].policy}: {missing[0].id} is not among the questions; "
            "the questions changed since, so run `dvc repro run_benchmarks`"
        )
    answered = {prediction.policy for prediction in predictions}
    logs = {name: log for name, log in read_training_logs(models_folder).items() if name in answered}
    results = analyze(
        settings,
        predictions,
        questions,
        logs,
        open_results.read(predictions_folder),
        traces.read(predictions_folder),
        spatial_results.read(predictions_folder),
        embodied_results.read(predictions_folder),
        faithfulness_results.read(predictions_folder),
    )
    return replace(results, strategies=read_strategies(questions_folder))


def read_strategies(folder: Path = paths.QUESTIONS) -> pd.DataFrame:
    """The shortcut audit of every strategy from `<folder>/card.json`; empty where there is none."""
    path = folder / "card.json"
    return pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))["strategies"] if path.is_file() else [])


def analyze(
    settings: AnalyzeResults,
    predictions: list[Prediction],
    questions: dict[str, Question],
    training: dict[str, pd.DataFrame],
    answers: Sequence[OpenAnswer] = (),
    episodes: Sequence[Trace] = (),
    spatial: Sequence[SpatialAnswer] = (),
    embodied: Sequence[Episode] = (),
    probed: Sequence[Probed] = (),
) -> Results:
    """Compute all tables."""
    confidence, seed = settings.confidence, settings.seed
    policies = ordered(prediction.policy for prediction in predictions)
    pairs = standard_pairs(policies)
    before_after = [(policy, "base") for policy in policies if is_reinforced(policy) and "base" in policies]
    asked, close = list(questions.values()), settings.close_distance
    judged = [row for row in answers if row.judge == answers[0].judge]  # by the judge whose scores count
    people = read_human_scores(paths.ROOT / settings.human_scores) if settings.human_scores else None
    return Results(
        settings=settings,
        questions=questions,
        predictions=predictions,
        accuracy=with_blind(summarize(predictions, confidence, seed)),
        by_task=summarize(predictions, confidence, seed, by="task").query("task != 'all'").reset_index(drop=True),
        comparisons=compare(predictions, pairs, confidence=confidence, seed=seed),
        consistency=consistency(predictions, asked, close, confidence, seed),
        consistency_change=consistency_change(predictions, asked, before_after, close, confidence, seed),
        training=training,
        chance=chance(asked),
        seeds=over_seeds(predictions, confidence, seed),
        reasoning=open_results.summarize(judged, confidence, seed),
        reasoning_comparisons=open_results.compare(judged, open_pairs(row.policy for row in judged), confidence, seed),
        acting=success(episodes, {q.task for q in asked if q.split != "test_out"}, confidence),
        acting_comparisons=traces.compare(episodes, open_pairs(row.policy for row in episodes), confidence, seed),
        traces=list(episodes),
        agreement=open_results.between_judges(answers, people, confidence, seed),
        spatial=spatial_results.summarize(spatial, confidence, seed),
        embodied=embodied_results.summarize(embodied, confidence),
        faithfulness=faithfulness_results.summarize(probed, confidence),
        faithfulness_changes=faithfulness_results.compare(probed, confidence, seed),
    )


def open_pairs(policies: Iterable[str]) -> list[tuple[str, str]]:
    """The comparisons outside the multiple-choice exam: every trained policy with the base, and base and reinforced
    ones with the random guess."""
    names = [policy for policy in ordered(policies) if policy == "base" or is_trained(policy)]
    pairs = [(policy, "base") for policy in names if policy != "base" and "base" in names]
    return pairs + [(policy, "random") for policy in names if policy == "base" or is_reinforced(policy)]


def success(episodes: Sequence[Trace], trained: set[str], confidence: float) -> pd.DataFrame:
    """`traces.summarize` by task, over all tasks, and over the tasks that were trained on and those that were not."""
    by_kind = [replace(trace, task=TRAINED if trace.task in trained else HELD_OUT) for trace in episodes]
    kinds = traces.summarize(by_kind, confidence).query("task != 'all'")
    return pd.concat([traces.summarize(episodes, confidence), kinds], ignore_index=True)


def with_blind(accuracy: pd.DataFrame) -> pd.DataFrame:
    """The accuracy table with the column `blind`: what the text-only reference reaches on the same questions."""
    blind = accuracy[accuracy["policy"] == "text_only"].set_index(["split", "type"])["accuracy"]
    keys = pd.MultiIndex.from_frame(accuracy[["split", "type"]])
    return accuracy.assign(blind=blind.reindex(keys).to_numpy())


def read_training_logs(folder: Path = paths.MODELS) -> dict[str, pd.DataFrame]:
    """The log of each trained policy, `<folder>/<policy>/log.jsonl`: one row per step.

    Raises:
        RecordError: a line is not JSON.
    """
    logs = {}
    for path in sorted(folder.glob("*/log.jsonl")):
        if rows := [entry for _, entry in read_objects(path)]:
            logs[path.parent.name] = pd.DataFrame(rows)
    return {name: logs[name] for name in ordered(logs)}


def find_row(table: pd.DataFrame, **values: str) -> pd.Series | None:
    """The one row with these values, or None."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table.iloc[0] if len(table) else None


def headline(results: Results) -> str:
    """The main result in one sentence, with interval and p-value; a gain within chance is called so."""
    policy = results.headline_policy
    row = find_row(results.comparisons, policy=policy, baseline="base", split="test_in", type="all") if policy else None
    if row is None:
        return "There is no reinforced policy to compare with its base on test_in."
    after = find_row(results.accuracy, policy=policy, split="test_in", type="all")
    before = find_row(results.accuracy, policy="base", split="test_in", type="all")
    points, low, high = (100 * row[name] for name in ("difference", "low", "high"))
    verdict = "a gain of" if points > 0 else "a change of"
    doubt = "" if row["p_value"] < 0.01 and row["low"] > 0 else " This is not more than chance allows."
    return (
        f"On the {row['questions']} held-out questions of the training tasks, {label(policy)} answers "
        f"{after['accuracy']:.1%} right and its base {before['accuracy']:.1%}: {verdict} {points:+.1f} points "
        f"({results.settings.confidence:.0%} interval over episodes {low:+.1f} to {high:+.1f}; "
        f"exact McNemar test, {p_text(row['p_value'])}).{doubt}"
    )


def headline_numbers(results: Results) -> dict[str, dict[str, float]]:
    """The main result for DVC, in percent: accuracy of base and reinforced policies on each test split, and the gain
    of `headline` with its interval; few enough to stand in one row of `dvc exp show`."""
    told = results.accuracy.query("type == 'all'")
    numbers = {
        split: {
            row.policy: round(100 * row.accuracy, 1)
            for row in told[told["split"] == split].itertuples()
            if row.policy == "base" or is_reinforced(row.policy)
        }
        for split in results.test_splits
    }
    row = find_row(results.comparisons, policy=results.headline_policy, baseline="base", split="test_in", type="all")
    if row is not None:
        span = {"points": row["difference"], "low": row["low"], "high": row["high"]}
        numbers["gain"] = {name: round(100 * float(value), 1) for name, value in span.items()}
    return numbers


def p_text(p_value: float) -> str:
    """A p-value as papers print it: "p = 0.032", "p < 0.001"."""
    return f"p = {p_value:.2g}" if p_value >= 0.001 else "p < 0.001"


def p_cell(p_value: float) -> str:
    """The same in a table's cell: "0.032", "< 0.001"."""
    return p_text(p_value).removeprefix("p ").removeprefix("= ")


def draw_examples(results: Results) -> list[Question]:
    """Test questions for the example sheet, drawn at random (not picked), the types in turn, held-out tasks too."""
    rng = np.random.default_rng(results.settings.seed)
    answered = sorted({p.id for p in results.predictions if p.split != "validation"}) or sorted(results.questions)
    pools = [
        list(rng.permutation([name for name in answered if results.questions[name].type == kind])) for kind in TYPES
    ]
    chosen: list[Question] = []
    while len(chosen) < results.settings.examples and any(pools):
        chosen += [results.questions[str(pool.pop())] for pool in pools if pool]
    return chosen[: results.settings.examples]
