"""What a question set holds, in numbers, and how it is written to disk."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from robotr1 import paths
from robotr1.questions.audit import BlindGuess, best_blind
from robotr1.records import Question, SftExample, write_records
from robotr1.settings import BuildQuestions


def question_card(
    splits: dict[str, Sequence[Question]],
    examples: dict[str, Sequence[SftExample]],
    blind: Sequence[BlindGuess],
    settings: BuildQuestions,
) -> dict:
    """Summarize a question set: settings, counts and letters per split, and the best blind guess per split and type."""
    best = best_blind(blind)
    return {
        "settings": dataclasses.asdict(settings),
        "chance": 1 / settings.options,
        "splits": {split: _counts(questions) for split, questions in splits.items()},
        "sft": {form: len(chosen) for form, chosen in examples.items()},
        "blind": {
            split: {type: dataclasses.asdict(best[split, type]) for type in settings.types if (split, type) in best}
            for split in splits
        },
    }


def _counts(questions: Sequence[Question]) -> dict:
    return {
        "questions": len(questions),
        "episodes": len({(question.task, question.variation, question.episode) for question in questions}),
        "images": len({question.image for question in questions}),
        "types": dict(Counter(question.type for question in questions)),
        "tasks": dict(Counter(question.task for question in questions)),
        "letters": dict(Counter(question.answer for question in questions)),
    }


def write_questions(
    splits: dict[str, Sequence[Question]],
    examples: dict[str, Sequence[SftExample]],
    card: dict,
    folder: Path = paths.QUESTIONS,
) -> list[Path]:
    """Write <split>.jsonl, sft_<form>.jsonl and card.json; return their paths. The same input gives the same bytes."""
    files = {f"{split}.jsonl": questions for split, questions in splits.items()}
    files |= {f"sft_{form}.jsonl": chosen for form, chosen in examples.items()}
    for name, records in files.items():
        write_records(folder / name, records)
    paths.write_json(folder / "card.json", card)
    return [folder / name for name in (*files, "card.json")]
