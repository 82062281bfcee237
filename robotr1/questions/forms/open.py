"""Open questions for reinforcement learning: the policy writes the state and has no options (Robot-R1, Table 9)."""

from collections.abc import Mapping, Sequence

from robotr1.metadata import Metadata
from robotr1.questions.prompts import FULL_OPEN_QUESTION, open_prompt_of
from robotr1.records import OpenQuestion, Question
from robotr1.settings import BuildQuestions


def open_questions(
    splits: Mapping[str, Sequence[Question]],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
) -> dict[str, list[OpenQuestion]]:
    """Write the waypoint and state questions of `splits` without options, in the same order and with the same ids.

    Movement questions are left out: a movement has no distance to the true one that a reward could use.
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
                prompt=open_prompt_of(question, settings, (metadata or {}).get(question.task), think=True),
            )
            for question in questions
            if question.type in FULL_OPEN_QUESTION
        ]
        for split, questions in splits.items()
    }
