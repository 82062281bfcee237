"""The inputs of an RL run: questions of one form as a data set, checked before training."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from datasets import Dataset
from transformers import ProcessorMixin

from robotr1 import paths
from robotr1.questions.forms.plans import write_plan
from robotr1.questions.thoughts import letters_written
from robotr1.records import OpenQuestion, PlanningQuestion, Question, QuestionType, read_records
from robotr1.settings import TrainGrpo
from robotr1.training import runs

RlQuestion = Question | OpenQuestion | PlanningQuestion


class Form(NamedTuple):
    """One question form: its file, its record, the columns its rewards read, its types, its shortest right answer."""

    file: str  # below data/questions, with the split
    record: type
    columns: tuple[str, ...]
    types: frozenset[str]  # those that the form has
    shortest: Callable[[Any], str]


FORMS = {
    "mcqa": Form(
        "{}.jsonl",
        Question,
        ("answer", "type", "options"),
        frozenset(get_args(QuestionType)),
        lambda question: f"<think> . </think> <answer> [[{question.answer}]] </answer>",
    ),
    "open": Form(
        "open_{}.jsonl",
        OpenQuestion,
        ("answer", "type"),
        frozenset({"waypoint", "state"}),
        lambda question: str([0] * len(question.answer)),
    ),
    "planning": Form(
        "planning_{}.jsonl",
        PlanningQuestion,
        ("answer", "actions", "type"),
        frozenset({"planning"}),
        lambda question: write_plan(".", ".", question.answer[:1], question.actions),
    ),
}


def read_questions(settings: TrainGrpo, split: str = "train", folder: Path | None = None) -> list[RlQuestion]:
    """The questions of `split` in the form and of the types of `settings`.

    `types` only chooses among the form's own types: open questions have no movement, planning has one type.
    Raises ValueError where the file is missing or lacks one of the types, RecordError where it is broken.
    """
    form = FORMS[settings.form]
    path = (folder or paths.QUESTIONS) / form.file.format(split)
    if not path.is_file():
        fix = "" if settings.form == "mcqa" else f" with {settings.form} among build_questions.forms"
        raise ValueError(f"form: {paths.relative(path)} is missing; run the stage build_questions{fix}.")
    questions = read_records(path, form.record)
    wanted = form.types if settings.form == "planning" else form.types & set(settings.types)
    if missing := wanted - {question.type for question in questions}:
        names = ", ".join(sorted(missing))
        raise ValueError(f"types: {paths.relative(path)} has no {names} question; see build_questions.types.")
    return [question for question in questions if question.type in wanted]


def question_dataset(form: str, questions: Sequence[RlQuestion]) -> Dataset:
    """Columns `prompt` (one chat turn) and `image` for the policy, and those that the rewards of `form` read."""
    return runs.with_images(
        [
            {"prompt": [{"role": "user", "content": q.prompt}], "image": q.image}
            | {column: getattr(q, column) for column in FORMS[form].columns}
            for q in questions
        ]
    )


def check_questions(settings: TrainGrpo, questions: Sequence[RlQuestion], processor: ProcessorMixin) -> None:
    """Check that `questions` can be trained on.

    Raises ValueError where they have another form, where no right answer fits in `max_completion_length`, or where
    `consistency_weight` is above 0 and options are neither positions nor movements.
    """
    form = FORMS[settings.form]
    if others := {type(question).__name__ for question in questions} - {form.record.__name__}:
        raise ValueError(f"form: {settings.form} trains on {form.record.__name__}, got {', '.join(others)}.")
    if settings.consistency_weight:
        for question in questions:
            if letters_written(question.type, question.options, question.options[0]) is None:
                raise ValueError(
                    f"consistency_weight: options of {question.id} are neither positions nor movements: "
                    f"{question.options}; set it to 0."
                )
    texts = sorted({form.shortest(question) for question in questions}, key=len)[:20]
    needed = min(len(ids) for ids in processor.tokenizer(texts)["input_ids"])
    if needed > settings.max_completion_length:
        raise ValueError(
            f"max_completion_length: no right answer of the form {settings.form} fits in "
            f"{settings.max_completion_length} tokens; the shortest has {needed}."
        )
