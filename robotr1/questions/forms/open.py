"""Open questions for reinforcement learning: the state is written, not chosen (Robot-R1, Table 9)."""

from collections.abc import Mapping, Sequence

from robotr1.metadata import Metadata
from robotr1.questions.prompts import FULL_OPEN_QUESTION, sft_prompt
from robotr1.records import OpenQuestion, Question
from robotr1.settings import BuildQuestions


def open_questions(
    splits: Mapping[str, Sequence[Question]],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
) -> dict[str, list[OpenQuestion]]:
    """The waypoint and state questions of `splits` without their options, in the same order and with the same ids.

    Movement questions stay out: their answer has no distance to the truth.
    """
    return {
        split: [
            OpenQuestion(
                id=question.id,
                split=question.split,
                type=question.type,
                task=question.task,
                image=question.image,
                answer=question.target if question.type == "waypoint" else question.state,
                prompt=sft_prompt(
                    question.type,
                    question.instruction,
                    question.state if settings.show_state else None,
                    form=settings.prompt,
                    decimals=settings.decimals,
                    metadata=(metadata or {}).get(question.task),
                    kind=settings.state,
                    think=True,
                ),
            )
            for question in questions
            if question.type in FULL_OPEN_QUESTION
        ]
        for split, questions in splits.items()
    }
