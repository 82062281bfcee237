"""The two forms of the closed loop's questions: a choice among positions, or open coordinates.

A form adds the prompt to a draft of a waypoint question, and reads the commanded state from the completion.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from robotr1.metadata import Metadata
from robotr1.questions.answers import parse_answer, parse_state
from robotr1.questions.distractors.answer_pool import AnswerPool
from robotr1.questions.distractors.positions import position_distractors
from robotr1.questions.distractors.strategies import DistractorError, Draw
from robotr1.questions.prompts import LETTERS, open_prompt_of, prompt_of
from robotr1.questions.question_types import QUESTION_TYPES
from robotr1.questions.randomness import generator
from robotr1.records import Question
from robotr1.settings import BuildQuestions


class Form(Protocol):
    """The form of a closed-loop question: options, or an open position."""

    def question(self, draft: Question, states: Sequence[Sequence[float]]) -> Question:
        """The draft with its prompt; `states` are those of the script's own run."""

    def read(self, question: Question, completion: str) -> list[float] | None:
        """The state that the completion commands, or None where it cannot be read."""


class MultipleChoiceForm:
    """Choice among positions. Distractors follow the strategy of the question set and come from its episodes.

    Args:
        known: questions of the set, as built. A task's answer pool holds the answers of its training questions; a
            held-out task has none, so its pool holds the answers of its other questions.
        settings: the settings that the set was built with.
        scenes: metadata by task, for prompts that describe the scene.

    The right option commands the script's exact waypoint, every other option the position as printed. Where the
    strategy finds too few distractors for a state, they are uniform over the workspace.
    """

    def __init__(
        self, known: Sequence[Question], settings: BuildQuestions, scenes: Mapping[str, Metadata] | None = None
    ):
        self.settings, self.scenes = settings, scenes or {}
        training = {question.task for question in known if question.split == "train"}
        self.pools: dict[str, AnswerPool] = defaultdict(lambda: AnswerPool(generator(settings.seed, "closed loop")))
        for question in known:
            if question.type == "waypoint" and (question.split == "train" or question.task not in training):
                truth = QUESTION_TYPES["waypoint"].truth(question, settings)
                self.pools[question.task].add((question.task, question.variation, question.episode), truth)

    def question(self, draft: Question, states: Sequence[Sequence[float]]) -> Question:
        rng = generator(self.settings.seed, draft.id)
        truth = QUESTION_TYPES["waypoint"].truth(draft, self.settings)
        options = [truth, *self._distractors(draft, truth, states, rng)]
        if self.settings.option_order == "canonical":
            options = sorted(options, key=lambda option: parse_state(option, len(draft.target)))
        else:
            options = [str(option) for option in rng.permutation(options)]
        question = replace(draft, options=options, answer=LETTERS[options.index(truth)])
        return replace(question, prompt=prompt_of(question, self.settings, self.scenes.get(draft.task)))

    def read(self, question: Question, completion: str) -> list[float] | None:
        letter = parse_answer(completion)
        if letter is None or letter not in LETTERS[: len(question.options)]:
            return None
        if letter == question.answer:
            return question.target
        return parse_state(question.options[LETTERS.index(letter)], len(question.target))

    def _distractors(self, draft: Question, truth: str, states: Sequence, rng: np.random.Generator) -> list[str]:
        draw = Draw(
            question=draft,
            truth=truth,
            settings=self.settings,
            rng=rng,
            states=states,
            other_answers=lambda: self.pools[draft.task].without(("", 0, 0), rng),
        )
        try:
            return position_distractors(draw)
        except DistractorError:
            return position_distractors(replace(draw, settings=replace(self.settings, distractors="uniform")))


class OpenForm:
    """Open coordinates: the policy generates the state itself, after a thought if `think`."""

    def __init__(self, settings: BuildQuestions, scenes: Mapping[str, Metadata] | None = None, think: bool = False):
        self.settings, self.scenes, self.think = settings, scenes or {}, think

    def question(self, draft: Question, states: Sequence[Sequence[float]]) -> Question:
        return replace(draft, prompt=open_prompt_of(draft, self.settings, self.scenes.get(draft.task), self.think))

    def read(self, question: Question, completion: str) -> list[float] | None:
        return parse_state(completion, len(question.target))
