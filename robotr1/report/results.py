"""Compute everything that the report shows, once, from a study's answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.closed_loop import results as closed_loop
from robotr1.evaluation.closed_loop.results import Trace
from robotr1.evaluation.eb_manipulation import results as eb_manipulation
from robotr1.evaluation.faithfulness import results as faithfulness
from robotr1.evaluation.judging.agreement import read_human_scores
from robotr1.evaluation.multiple_choice import results as multiple_choice
from robotr1.evaluation.multiple_choice.consistency import consistency, consistency_change
from robotr1.evaluation.multiple_choice.items import SPLITS, chance
from robotr1.evaluation.multiple_choice.seeds import over_seeds
from robotr1.evaluation.open_questions import results as open_questions
from robotr1.evaluation.spatialrgpt import results as spatialrgpt
from robotr1.report.sections.attention_maps import AttentionMap
from robotr1.report.study import Study, read_study
from robotr1.report.style.names import headline_policy, is_reinforced, is_trained, ordered
from robotr1.settings import AnalyzeResults

TRAINED, HELD_OUT = "tasks trained on", "tasks never trained on"  # two rows of the closed loop's table


@dataclass(frozen=True)
class Results:
    """The study's tables (pandas frames as `evaluation` makes them), and the answers that they were computed from."""

    settings: AnalyzeResults
    study: Study
    chance: float
    accuracy: pd.DataFrame
    accuracy_by_task: pd.DataFrame
    comparisons: pd.DataFrame
    seeds: pd.DataFrame  # accuracies of each algorithm over its seeds
    consistency: pd.DataFrame
    consistency_change: pd.DataFrame
    faithfulness: pd.DataFrame  # shares of answers after a given thought
    faithfulness_changes: pd.DataFrame  # change of those shares from the policy's own thought
    open_questions: pd.DataFrame  # the judge's scores of free text
    open_question_comparisons: pd.DataFrame
    agreement: pd.DataFrame  # of judges with each other and with people
    spatialrgpt: pd.DataFrame  # accuracy on SpatialRGPT-Bench's questions
    closed_loop: pd.DataFrame  # success in the closed loop
    closed_loop_comparisons: pd.DataFrame
    eb_manipulation: pd.DataFrame  # success in EB-Manipulation's protocol, by subset
    attention: dict[str, list[AttentionMap]] = field(default_factory=dict)  # by policy; notebook 08 adds them

    @property
    def policies(self) -> list[str]:
        return ordered(self.accuracy["policy"])

    @property
    def splits(self) -> list[str]:
        return [split for split in SPLITS if split in set(self.accuracy["split"])]

    @property
    def test_splits(self) -> list[str]:
        """The splits that figures show: the test splits, or all if there are none."""
        return [split for split in self.splits if split.startswith("test")] or self.splits

    @property
    def headline_policy(self) -> str | None:
        return headline_policy(self.policies)


def load_results(settings: AnalyzeResults, *folders: Path) -> Results:
    """Read the study from `folders` (as `read_study` takes them) and compute everything.

    Raises:
        RecordError: as `read_study` does.
        ScoresError: the people's scores cannot be read.
    """
    return analyze(settings, read_study(*folders))


def analyze(settings: AnalyzeResults, study: Study) -> Results:
    """Compute all tables. Raises ScoresError if the people's scores cannot be read."""
    confidence, seed, close = settings.confidence, settings.seed, settings.close_distance
    predictions, asked = study.predictions, list(study.questions.values())
    policies = ordered(prediction.policy for prediction in predictions)
    pairs = multiple_choice.standard_pairs(policies)
    before_after = [(policy, "base") for policy in policies if is_reinforced(policy) and "base" in policies]
    judged = [row for row in study.open_questions if row.judge == study.open_questions[0].judge]  # whose scores count
    people = read_human_scores(paths.ROOT / settings.human_scores) if settings.human_scores else None
    trained_tasks = {question.task for question in asked if question.split != "test_out"}
    by_task = multiple_choice.summarize(predictions, confidence, seed, by="task")
    return Results(
        settings=settings,
        study=study,
        chance=chance(asked),
        accuracy=with_blind(multiple_choice.summarize(predictions, confidence, seed)),
        accuracy_by_task=by_task.query("task != 'all'").reset_index(drop=True),
        comparisons=multiple_choice.compare(predictions, pairs, confidence=confidence, seed=seed),
        seeds=over_seeds(predictions, confidence, seed),
        consistency=consistency(predictions, asked, close, confidence, seed),
        consistency_change=consistency_change(predictions, asked, before_after, close, confidence, seed),
        faithfulness=faithfulness.summarize(study.faithfulness, confidence),
        faithfulness_changes=faithfulness.compare(study.faithfulness, confidence, seed),
        open_questions=open_questions.summarize(judged, confidence, seed),
        open_question_comparisons=open_questions.compare(judged, open_pairs(judged), confidence, seed),
        agreement=open_questions.between_judges(study.open_questions, people, confidence, seed),
        spatialrgpt=spatialrgpt.summarize(study.spatialrgpt, confidence, seed),
        closed_loop=success(study.closed_loop, trained_tasks, confidence),
        closed_loop_comparisons=closed_loop.compare(study.closed_loop, open_pairs(study.closed_loop), confidence, seed),
        eb_manipulation=eb_manipulation.summarize(study.eb_manipulation, confidence),
    )


def open_pairs(rows: Iterable) -> list[tuple[str, str]]:
    """The comparisons outside multiple choice, among the policies of `rows`: every trained policy with the base, and
    base and reinforced ones with the random guess."""
    names = [name for name in ordered(row.policy for row in rows) if name == "base" or is_trained(name)]
    pairs = [(policy, "base") for policy in names if policy != "base" and "base" in names]
    return pairs + [(policy, "random") for policy in names if policy == "base" or is_reinforced(policy)]


def success(episodes: Sequence[Trace], trained_tasks: set[str], confidence: float) -> pd.DataFrame:
    """Success by task, over all tasks, over the tasks trained on and over those never trained on."""
    grouped = [replace(trace, task=TRAINED if trace.task in trained_tasks else HELD_OUT) for trace in episodes]
    groups = closed_loop.summarize(grouped, confidence).query("task != 'all'")
    return pd.concat([closed_loop.summarize(episodes, confidence), groups], ignore_index=True)


def with_blind(accuracy: pd.DataFrame) -> pd.DataFrame:
    """The accuracy table with the column `blind`: what the text-only reference reaches on the same questions."""
    blind = accuracy[accuracy["policy"] == "text_only"].set_index(["split", "type"])["accuracy"]
    keys = pd.MultiIndex.from_frame(accuracy[["split", "type"]])
    return accuracy.assign(blind=blind.reindex(keys).to_numpy())
