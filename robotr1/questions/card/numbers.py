"""Count what a question set contains, and write the set to disk."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from robotr1 import paths
from robotr1.questions.audit.blind import BlindGuess, best_blind
from robotr1.questions.audit.difficulty import UNITS, nearest_distractor
from robotr1.questions.audit.strategies import StrategyGuess, best_guesses
from robotr1.questions.checks import prompt_tokens
from robotr1.questions.forms.build import Forms
from robotr1.records import Question, SftExample, write_records
from robotr1.settings import BuildQuestions


def question_card(
    splits: dict[str, Sequence[Question]],
    examples: dict[str, Sequence[SftExample]],
    blind: Sequence[BlindGuess],
    settings: BuildQuestions,
    audited: Sequence[StrategyGuess] = (),
    skipped: Mapping[str, int] | None = None,
    forms: Forms | None = None,
    without_script: Mapping[str, int] | None = None,
) -> dict:
    """Summarize a question set in numbers.

    Settings, counts and letters per split, what was skipped, distances to the nearest distractor, the longest prompt,
    the best blind guess per split and type, and the best one for every strategy of `audited`. `forms` comes from
    `other_forms`. `without_script` comes from `unplanned`: frames by task without a planning question.
    """
    best = best_blind(blind)
    questions = [question for part in splits.values() for question in part]
    return {
        "settings": dataclasses.asdict(settings),
        "chance": 1 / settings.options,
        "splits": {split: _counts(part) for split, part in splits.items()},
        "skipped": dict(skipped or {}),
        "sft": {form: len(chosen) for form, chosen in examples.items()},
        "forms": {
            form: {split: len(questions) for split, questions in parts.items()} for form, parts in (forms or {}).items()
        },
        "frames_without_script": dict(without_script or {}),
        "longest_prompt_tokens": max((prompt_tokens(question.prompt) for question in questions), default=0),
        "nearest_distractor": {type: _spread(questions, type) for type in settings.types if type in UNITS},
        "blind": {
            split: {type: dataclasses.asdict(best[split, type]) for type in settings.types if (split, type) in best}
            for split in splits
        },
        "strategies": [dataclasses.asdict(guess) for guess in best_guesses(audited)],
    }


def _spread(questions: Sequence[Question], type: str) -> dict[str, float]:
    """Quartiles of the distance from the truth to the nearest distractor."""
    distances = [nearest_distractor(question) for question in questions if question.type == type]
    values = np.percentile(distances, [25, 50, 75]) if distances else [np.nan] * 3
    return dict(zip(("lower_quartile", "median", "upper_quartile"), map(float, values)))


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
    forms: Forms | None = None,
) -> list[Path]:
    """Write <split>.jsonl, <form>_<split>.jsonl, sft_<form>.jsonl and card.json; return their paths.

    The same input gives the same bytes. Record files that only an earlier build wrote are removed.
    """
    files = {f"{split}.jsonl": questions for split, questions in splits.items()}
    for form, parts in (forms or {}).items():
        files |= {f"{form}_{split}.jsonl": questions for split, questions in parts.items()}
    files |= {f"sft_{form}.jsonl": chosen for form, chosen in examples.items()}
    for stale in sorted(folder.glob("*.jsonl")):
        if stale.name not in files:
            stale.unlink()
    for name, records in files.items():
        write_records(folder / name, records)
    paths.write_json(folder / "card.json", card)
    return [folder / name for name in (*files, "card.json")]
