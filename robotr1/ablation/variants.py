"""Variants of the study's questions: with metadata in the prompt, with other distractors, or without options."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from robotr1 import paths
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.evaluation.multiple_choice.items import SPLITS
from robotr1.metadata import Metadata
from robotr1.questions.build import stream_questions
from robotr1.questions.prompts import prompt_of
from robotr1.questions.trajectory import trajectories_of
from robotr1.records import Keyframes, OpenQuestion, Question, read_records
from robotr1.settings import BuildQuestions


def with_metadata(
    questions: Sequence[Question], told: Sequence[str], settings: BuildQuestions, scenes: Mapping[str, Metadata]
) -> list[Question]:
    """Add the metadata parts `told` to the prompts; without any, the questions stay unchanged."""
    if not told:
        return list(questions)
    return [replace(q, prompt=prompt_of(q, settings, replace(scenes[q.task], in_prompt=list(told)))) for q in questions]


def with_distractors(questions: Sequence[Question], strategy: str, settings: BuildQuestions) -> list[Question]:
    """Replace the distractors of waypoint questions by those of another strategy.

    A waypoint question for which that strategy finds no distractors stays unchanged, as do all other questions.
    Raises ValueError for paired options, whose questions are others and not the same with other distractors.
    """
    if strategy == "paired" or any(question.set is not None for question in questions):
        raise ValueError("paired options have questions of their own; compare strategies by separate builds")
    episodes = (read_episode(folder) for folder in list_episodes(paths.DEMOS))
    trajectories = trajectories_of(episodes, read_records(paths.KEYFRAMES, Keyframes), settings.state)
    others = stream_questions(trajectories, replace(settings, types=["waypoint"], distractors=strategy))
    found = {question.id: question for question in others}
    return [found.get(question.id, question) for question in questions]


def as_open(questions: Sequence[Question], folder: Path | None = None) -> list[Question]:
    """The waypoint and state questions with their open prompts, read from `folder` (default: data/questions)."""
    folder = folder or paths.QUESTIONS
    opened = {
        q.id: q.prompt for split in SPLITS for q in read_records(folder / f"open_{split}.jsonl", OpenQuestion)
    }  # fmt: skip
    return [replace(question, prompt=opened[question.id]) for question in questions if question.id in opened]
