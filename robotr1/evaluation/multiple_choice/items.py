"""Multiple-choice questions of the study, as a benchmark: which ones are asked, and in which form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from robotr1 import paths
from robotr1.evaluation.sampling import draw_evenly
from robotr1.metadata import Metadata, read_metadata
from robotr1.questions.prompts import open_prompt_of
from robotr1.records import Question, read_records
from robotr1.settings import BuildQuestions

SPLITS = ("validation", "test_in", "test_out")
OPEN_TYPES = ("waypoint", "state")  # their answer is a position, so they can be asked without options


def read_questions(folder: Path = paths.QUESTIONS, splits: Sequence[str] = SPLITS, most: int = 0) -> list[Question]:
    """The questions of `splits` in their order; with `most`, at most so many of each split, drawn evenly.

    Paired options are drawn as whole sets. Raises RecordError where a file is missing or broken.
    """
    chosen: list[Question] = []
    for split in splits:
        questions = read_records(folder / f"{split}.jsonl", Question)
        units = [list(unit) for _, unit in groupby(questions, key=lambda question: question.set or question.id)]
        size = max(map(len, units), default=1)
        chosen += [question for unit in draw_evenly(units, most and max(1, most // size)) for question in unit]
    return chosen


def read_scenes(questions: Iterable[Question], folder: Path = paths.METADATA) -> dict[str, Metadata]:
    """The metadata of the questions' tasks. Raises MetadataError where a file is missing or broken."""
    return {task: read_metadata(folder / f"{task}.json") for task in sorted({question.task for question in questions})}


def open_form_questions(
    questions: Sequence[Question],
    settings: BuildQuestions,
    scenes: Mapping[str, Metadata] | None = None,
    think: bool = False,
) -> list[Question]:
    """The waypoint and state questions with the open prompt of the training data instead of options.

    Args:
        settings: those the questions were built with.
        scenes: metadata by task, for prompts that describe the scene.
        think: request a thought before the state, as reinforcement learning does and supervised data do not.
    """
    return [
        replace(question, prompt=open_prompt_of(question, settings, (scenes or {}).get(question.task), think))
        for question in questions
        if question.type in OPEN_TYPES
    ]


def chance(questions: Iterable[Question]) -> float:
    """Expected accuracy of a uniform guess: the mean of 1 / number of options."""
    shares = [1 / len(question.options) for question in questions]
    return sum(shares) / len(shares) if shares else float("nan")
