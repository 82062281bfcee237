"""Controls of the multiple-choice benchmark: policies that need no model, and what two of them must score."""

from collections.abc import Sequence

from robotr1.evaluation.controls import check_chance, check_oracle
from robotr1.evaluation.multiple_choice.items import chance
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.policies.reference import TextOnly, majority, oracle, random_choice
from robotr1.records import Prediction, Question


def controls(questions: Sequence[Question], training: Sequence[Question], seed: int) -> list[Prediction]:
    """Predictions of the policies that need no model: oracle, random and, with training questions, majority and
    text_only."""
    predictions = evaluate("oracle", questions, oracle(questions))
    predictions += evaluate("random", questions, random_choice(questions, seed))
    if training:
        known = {question.type for question in training}
        asked = [question for question in questions if question.type in known]
        predictions += evaluate("majority", asked, majority(asked, training))
        predictions += evaluate("text_only", asked, TextOnly().fit(training).complete(asked))
    return predictions


def check_controls(questions: Sequence[Question], predictions: Sequence[Prediction]) -> None:
    """Check that the oracle is always right, and that the random policy is as often right as chance allows.

    Raises BenchmarkError, which says which control failed and where to look.
    """
    right = {name: {p.id: p.correct for p in predictions if p.policy == name} for name in ("oracle", "random")}
    check_oracle("multiple choice", right["oracle"], "questions and answer parsing do not fit together")
    cause = "the true letters are not spread evenly over the options"
    check_chance("multiple choice", list(right["random"].values()), chance(questions), cause)
