"""Score completions of the multiple-choice benchmark: the letter that each chooses, and whether it is right.

A completion is right only where exactly one letter can be read from its answer (Robot-R1 section 3.3). One without a
readable letter is wrong, and is also counted as unparsable: a broken form does not show a wrong belief.
"""

from collections.abc import Sequence

from robotr1.policies.names import OPEN_FORM
from robotr1.questions.answers import is_formatted, parse_answer, parse_state
from robotr1.questions.prompts import LETTERS
from robotr1.questions.thoughts import nearest_option
from robotr1.records import Prediction, Question


def evaluate(policy: str, questions: Sequence[Question], completions: Sequence[str]) -> list[Prediction]:
    """Score completions of the multiple-choice form: right where the one letter in the answer is the true one.

    A letter that is not among the question's options counts as unreadable.

    Raises:
        ValueError: numbers of questions and completions differ.
    """
    _check_lengths(policy, questions, completions)
    return [
        _prediction(policy, question, completion, _letter(question, parse_answer(completion)), is_formatted(completion))
        for question, completion in zip(questions, completions)
    ]


def evaluate_open_form(policy: str, questions: Sequence[Question], completions: Sequence[str]) -> list[Prediction]:
    """Score open answers "[x, y, z]": the letter is that of the option nearest to the written position.

    Where states are extended, the answer must hold all seven numbers, and the positions are compared.

    This is a lenient score for supervised policies, which were never shown options (paper Figs 7-8). The predictions
    have the policy's name with the suffix "-own-form"; `formatted` means that a position was found.

    Raises:
        ValueError: numbers of questions and completions differ, or a question has no positions as options.
    """
    _check_lengths(policy, questions, completions)
    predictions = []
    for question, completion in zip(questions, completions):
        position = (parse_state(completion, len(question.state)) or [])[:3] or None
        letter = nearest_option(question.options, position)
        predictions.append(_prediction(policy + OPEN_FORM, question, completion, letter, position is not None))
    return predictions


def _letter(question: Question, letter: str | None) -> str | None:
    return letter if letter and letter in LETTERS[: len(question.options)] else None


def _prediction(policy: str, question: Question, completion: str, letter: str | None, formatted: bool) -> Prediction:
    return Prediction(
        id=question.id,
        policy=policy,
        split=question.split,
        type=question.type,
        task=question.task,
        completion=completion,
        letter=letter,
        answer=question.answer,
        correct=letter == question.answer,
        formatted=formatted,
    )


def _check_lengths(policy: str, questions: Sequence[Question], completions: Sequence[str]) -> None:
    if len(questions) != len(completions):
        raise ValueError(f"{policy}: {len(questions)} questions but {len(completions)} completions")
