"""The two forms of the closed loop's questions: a choice among positions, or open coordinates.

A form adds the prompt to a draft of a waypoint question, and reads the commanded state from the completion.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from robotr1.metadata import Metadata
from robotr1.questions.answer_pool import Pool
from robotr1.questions.answers import parse_answer, parse_state
from robotr1.questions.build import generator
from robotr1.questions.distractors.positions import DistractorError
from robotr1.questions.prompts import LETTERS, mcqa_prompt, sft_prompt
from robotr1.questions.question_types import KINDS, Case
from robotr1.records import Question
from robotr1.settings import BuildQuestions


class Form(Protocol):
    """How the next waypoint is asked for."""

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
        self.pools: dict[str, Pool] = defaultdict(lambda: Pool(generator(settings.seed, "closed loop")))
        for question in known:
            if question.type == "waypoint" and (question.split == "train" or question.task not in training):
                truth = KINDS["waypoint"].truth(question, settings)
                self.pools[question.task].add((question.task, question.variation, question.episode), truth)

    def question(self, draft: Question, states: Sequence[Sequence[float]]) -> Question:
        rng = generator(self.settings.seed, draft.id)
        truth = KINDS["waypoint"].truth(draft, self.settings)
        wrong = self._wrong(draft, truth, states, rng)
        if self.settings.option_order == "canonical":
            options = sorted([truth, *wrong], key=lambda option: parse_state(option, len(draft.target)))
        else:
            options = [str(option) for option in rng.permutation([truth, *wrong])]
        prompt = mcqa_prompt(
            "waypoint",
            draft.instruction,
            draft.state if self.settings.show_state else None,
            options,
            form=self.settings.prompt,
            decimals=self.settings.decimals,
            metadata=self.scenes.get(draft.task),
            kind=self.settings.state,
        )
        return replace(draft, options=options, answer=LETTERS[options.index(truth)], prompt=prompt)

    def read(self, question: Question, completion: str) -> list[float] | None:
        letter = parse_answer(completion)
        if letter is None or letter not in LETTERS[: len(question.options)]:
            return None
        if letter == question.answer:
            return question.target
        return parse_state(question.options[LETTERS.index(letter)], len(question.target))

    def _wrong(self, draft: Question, truth: str, states: Sequence, rng: np.random.Generator) -> list[str]:
        case = Case(
            question=draft,
            truth=truth,
            settings=self.settings,
            rng=rng,
            states=states,
            elsewhere=lambda: self.pools[draft.task].without(("", 0, 0), rng),
            common=dict,
        )
        try:
            return KINDS["waypoint"].wrong(case)
        except DistractorError:
            return KINDS["waypoint"].wrong(replace(case, settings=replace(self.settings, distractors="uniform")))


class OpenForm:
    """Open coordinates: the policy generates the state itself, after a thought if `think`."""

    def __init__(self, settings: BuildQuestions, scenes: Mapping[str, Metadata] | None = None, think: bool = False):
        self.settings, self.scenes, self.think = settings, scenes or {}, think

    def question(self, draft: Question, states: Sequence[Sequence[float]]) -> Question:
        prompt = sft_prompt(
            "waypoint",
            draft.instruction,
            draft.state if self.settings.show_state else None,
            form=self.settings.prompt,
            decimals=self.settings.decimals,
            metadata=self.scenes.get(draft.task),
            kind=self.settings.state,
            think=self.think,
        )
        return replace(draft, prompt=prompt)

    def read(self, question: Question, completion: str) -> list[float] | None:
        return parse_state(completion, len(question.target))
