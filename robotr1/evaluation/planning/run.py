"""Planning questions as an exam, for policies that were trained on them (RoboGPT-R1, arXiv 2510.14828).

The multiple-choice exam asks such a policy for letters, which it was never shown. Here it is asked, about episodes that
it has not seen, which actions of a task remain, and scored by the two rules that reward it in training
(`questions.plans`): `form`, the JSON object with its sections and valid actions, and `order`, the longest common
subsequence with the true plan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from robotr1 import paths
from robotr1.evaluation.completions import FOLDER, asker
from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.multiple_choice.scoring import SPLITS
from robotr1.evaluation.planning.results import PlanAnswer
from robotr1.questions.forms.planning import blind_plans, planning_example
from robotr1.questions.forms.plans import plan_format, plan_order, write_plan
from robotr1.records import PlanningQuestion, read_records
from robotr1.settings import RunBenchmarks

LONGEST = 768  # tokens of an answer; the longest true plan, a tower's, has 670 of the tiny base's


def read_set(most: int = 0, splits: Sequence[str] = SPLITS, folder: Path = paths.QUESTIONS) -> list[PlanningQuestion]:
    """The planning questions of `splits`; with `most`, no more than so many of each, drawn evenly.

    Raises RecordError where a file is broken, or missing because `build_questions.forms` has no planning.
    """
    chosen = []
    for split in splits:
        questions = read_records(folder / f"planning_{split}.jsonl", PlanningQuestion)
        count = min(most or len(questions), len(questions))
        chosen += [questions[index * len(questions) // count] for index in range(count)]
    return chosen


def complete(policy: str, questions: Sequence[PlanningQuestion], settings: RunBenchmarks) -> list[str | None]:
    """The plans of the policy in `models/<policy>`, with room for a whole one; kept as `asker` keeps other answers.

    Raises PolicyError for a folder without a policy.
    """
    roomy = replace(settings, max_completion_length=max(settings.max_completion_length, LONGEST))
    return asker(policy, roomy, FOLDER / "planning")(questions)


def score(policy: str, questions: Sequence[PlanningQuestion], completions: Sequence[str | None]) -> list[PlanAnswer]:
    """Score a policy's plans; none earns nothing. Raises ValueError where the numbers of both differ."""
    return [
        PlanAnswer(
            id=question.id,
            split=question.split,
            policy=policy,
            task=question.task,
            completion=completion,
            form=plan_format(completion or "", question.actions),
            order=plan_order(completion or "", question.answer, question.actions),
        )
        for question, completion in zip(questions, completions, strict=True)
    ]


def controls(questions: Sequence[PlanningQuestion], training: Sequence[PlanningQuestion]) -> list[PlanAnswer]:
    """The oracle, and `blind`: the one plan for each task that earns most without a look at the image.

    It is learned from `training`, and for held-out tasks from `questions` themselves: a bar higher than any policy
    that does not look could reach there.
    """
    known = {question.task for question in training}
    usual = blind_plans([*training, *(question for question in questions if question.task not in known)])
    blind = [write_plan("Unseen.", "The usual plan.", usual[one.task], one.actions) for one in questions]
    right = [planning_example(question).completion for question in questions]
    return score("oracle", questions, right) + score("blind", questions, blind)


def check_controls(answers: Iterable[PlanAnswer]) -> None:
    """Raises BenchmarkError where a plan of the oracle does not earn everything."""
    wrong = [row.id for row in answers if row.policy == "oracle" and (row.form, row.order) != (1, 1)]
    if wrong:
        raise BenchmarkError(
            f"the oracle is wrong on {len(wrong)} planning questions, first {wrong[0]}: true plans do not earn all"
        )
