"""The study's questions asked otherwise: with metadata in the prompt, with other wrong options, or without options."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from robotr1 import paths
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.evaluation.multiple_choice.items import SPLITS
from robotr1.metadata import Metadata
from robotr1.questions.build import stream_questions
from robotr1.questions.prompts import mcqa_prompt
from robotr1.questions.trajectory import tracks_of
from robotr1.records import Keyframes, OpenQuestion, Question, read_records
from robotr1.settings import BuildQuestions


def with_metadata(
    questions: Sequence[Question], told: Sequence[str], prompts: BuildQuestions, scenes: Mapping[str, Metadata]
) -> list[Question]:
    """The same questions with the metadata parts `told` in their prompts; unchanged where nothing is told."""
    if not told:
        return list(questions)
    states = {"waypoint": prompts.show_state, "movement": prompts.show_state_in_movement}
    return [
        replace(
            q,
            prompt=mcqa_prompt(
                q.type,
                q.instruction,
                q.state if states.get(q.type, False) else None,
                q.options,
                form=prompts.prompt,
                decimals=prompts.decimals,
                metadata=replace(scenes[q.task], in_prompt=list(told)),
                kind=prompts.state,
            ),
        )
        for q in questions
    ]


def with_distractors(questions: Sequence[Question], strategy: str, settings: BuildQuestions) -> list[Question]:
    """The same questions, those about waypoints with wrong options drawn by another strategy.

    A waypoint question for which that strategy finds no options stays as it is.
    """
    episodes = (read_episode(folder) for folder in list_episodes(paths.DEMOS))
    tracks = tracks_of(episodes, read_records(paths.KEYFRAMES, Keyframes), settings.state)
    others = stream_questions(tracks, replace(settings, types=["waypoint"], distractors=strategy))
    found = {question.id: question for question in others}
    return [found.get(question.id, question) for question in questions]


def as_open(questions: Sequence[Question], folder: Path | None = None) -> list[Question]:
    """The questions that have an open form, with its prompt."""
    folder = folder or paths.QUESTIONS
    opened = {
        q.id: q.prompt for split in SPLITS for q in read_records(folder / f"open_{split}.jsonl", OpenQuestion)
    }  # fmt: skip
    return [replace(question, prompt=opened[question.id]) for question in questions if question.id in opened]
