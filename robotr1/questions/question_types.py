"""Registry of question types: how the right option is written, and which function samples its distractors.

To add a type, write a function that turns a question's state and target into the text of the right option, and pass it
to `register_type` with the sentence that asks. Its distractors are then the answers to the same question in other
episodes, unless another function samples them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from robotr1.questions import prompts
from robotr1.questions.distractors.movements import movement_distractors
from robotr1.questions.distractors.positions import position_distractors
from robotr1.questions.distractors.strategies import DistractorError, Draw
from robotr1.questions.movement import describe_motion
from robotr1.questions.prompts import format_state
from robotr1.records import Question
from robotr1.settings import BuildQuestions


@dataclass(frozen=True)
class QuestionSpec:
    """`truth` writes the right option; `distractors` samples `options` - 1 others or raises DistractorError."""

    truth: Callable[[Question, BuildQuestions], str]
    distractors: Callable[[Draw], list[str]]


QUESTION_TYPES: dict[str, QuestionSpec] = {
    "waypoint": QuestionSpec(
        lambda question, settings: format_state(question.target, settings.decimals), position_distractors
    ),
    "state": QuestionSpec(
        lambda question, settings: format_state(question.state, settings.decimals), position_distractors
    ),
    "movement": QuestionSpec(
        lambda question, settings: describe_motion(question.state, question.target, settings.dead_zone),
        movement_distractors,
    ),
}


def other_answers(draw: Draw) -> list[str]:
    """Different answers of other episodes. Raises DistractorError where there are too few."""
    distractors: list[str] = []
    for answer in draw.other_answers():
        if answer != draw.truth and answer not in distractors:
            distractors.append(answer)
        if len(distractors) == draw.settings.options - 1:
            return distractors
    raise DistractorError(
        f"only {len(distractors)} other answers are known; lower `options` or collect more demonstrations"
    )


def register_type(
    name: str,
    truth: Callable[[Question, BuildQuestions], str],
    question: str,
    distractors: Callable[[Draw], list[str]] = other_answers,
) -> None:
    """Add a question type by its name and the sentence that asks it, for this process.

    To write its questions to disk and train on them, also add the name to `records.QuestionType`.
    """
    QUESTION_TYPES[name] = QuestionSpec(truth, distractors)
    prompts.COMPACT_QUESTION[name] = question
    prompts.FULL_QUESTION[name] = f"{question} Choose the option that fits best:"
