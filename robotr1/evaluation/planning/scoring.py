"""Score plans by the two rules that reward them in training (`questions.forms.plans`), each in [0, 1].

`form` is 1 for a JSON object with its sections and valid actions. `order` is the longest common subsequence with the
true plan, as a share of the longer one.
"""

from collections.abc import Sequence

from robotr1.evaluation.planning.results import PlanAnswer
from robotr1.questions.forms.plans import plan_format, plan_order
from robotr1.records import PlanningQuestion


def score(policy: str, questions: Sequence[PlanningQuestion], completions: Sequence[str | None]) -> list[PlanAnswer]:
    """Score a policy's plans; a missing completion scores 0. Raises ValueError for different lengths."""
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
