"""Planning questions of the study, as a benchmark (RoboGPT-R1, arXiv 2510.14828)."""

from collections.abc import Sequence
from pathlib import Path

from robotr1 import paths
from robotr1.evaluation.multiple_choice.items import SPLITS
from robotr1.evaluation.sampling import draw_evenly
from robotr1.records import PlanningQuestion, read_records


def read_questions(
    folder: Path = paths.QUESTIONS, splits: Sequence[str] = SPLITS, most: int = 0
) -> list[PlanningQuestion]:
    """The planning questions of `splits`; with `most`, no more than so many of each split, drawn evenly.

    Raises RecordError where a file is broken, or missing because `build_questions.forms` has no planning.
    """
    by_split = [read_records(folder / f"planning_{split}.jsonl", PlanningQuestion) for split in splits]
    return [question for questions in by_split for question in draw_evenly(questions, most)]
