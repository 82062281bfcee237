"""Controls of the planning benchmark: the oracle, which must score 1, and the best plan without an image."""

from collections.abc import Iterable, Sequence

from robotr1.evaluation.controls import check_oracle
from robotr1.evaluation.planning.results import PlanAnswer
from robotr1.evaluation.planning.scoring import score
from robotr1.questions.forms.planning import blind_plans, planning_example
from robotr1.questions.forms.plans import write_plan
from robotr1.records import PlanningQuestion


def controls(questions: Sequence[PlanningQuestion], training: Sequence[PlanningQuestion]) -> list[PlanAnswer]:
    """The scored plans of `oracle`, and of `blind`: for each task the one plan that scores best without the image.

    The blind plans are fitted on `training`, and for held-out tasks on `questions` themselves: an upper bound for any
    policy without an image.
    """
    known = {question.task for question in training}
    usual = blind_plans([*training, *(question for question in questions if question.task not in known)])
    blind = [write_plan("Unseen.", "The usual plan.", usual[one.task], one.actions) for one in questions]
    right = [planning_example(question).completion for question in questions]
    return score("oracle", questions, right) + score("blind", questions, blind)


def check_controls(answers: Iterable[PlanAnswer]) -> None:
    """Check that every true plan scores 1 in form and order. Raises BenchmarkError."""
    scores = {row.id: min(row.form, row.order) for row in answers if row.policy == "oracle"}
    check_oracle("planning", scores, "true plans do not get the full score")
