"""Who acts in the closed loop, and in which form it is asked: by choice among positions, or for free coordinates.

A form turns the draft of a waypoint question into one with a prompt, and a completion into the state to go to.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from robotr1.evaluation.completions import asker
from robotr1.metadata import Metadata
from robotr1.policies.reference import TextOnly, oracle, random_choice
from robotr1.questions.answers import parse_answer, parse_state
from robotr1.questions.distractors.answer_pool import AnswerPool
from robotr1.questions.distractors.positions import position_distractors
from robotr1.questions.distractors.scene import SCENE_HIGH, SCENE_LOW
from robotr1.questions.distractors.strategies import DistractorError, Draw
from robotr1.questions.prompts import LETTERS, format_state, open_prompt_of, prompt_of
from robotr1.questions.question_types import QUESTION_TYPES
from robotr1.questions.randomness import generator
from robotr1.questions.states import is_extended
from robotr1.records import Question
from robotr1.settings import BuildQuestions, RunBenchmarks

EXACT = 6  # decimals that the oracle writes


class Form(Protocol):
    """How a policy is asked for the next waypoint."""

    def question(self, draft: Question, path: Sequence[Sequence[float]]) -> Question:
        """The draft with its prompt; `path` holds the states of the script's own run."""

    def read(self, question: Question, completion: str) -> list[float] | None:
        """The state that the completion asks to go to, or None where none can be read from it."""


@dataclass(frozen=True)
class Player:
    """A policy in the loop: `complete` writes one completion per question; only one that `sees` is drawn pictures."""

    name: str
    form: Form
    complete: Callable[[Sequence[Question]], Sequence[str]]
    sees: bool = False


class Choices:
    """The multiple-choice form. Wrong options follow the law of the question set, and come from its episodes.

    Args:
        known: questions of the set, as built. Wrong options are the answers to a task's training questions; a held-out
            task has none, and its other questions serve.
        settings: those the set was built with.
        scenes: metadata by task, for prompts that describe the scene.

    To choose the true option is to go to the script's waypoint itself, any other one to the position as printed. Where
    the law finds too few options for a state, they are drawn from the whole workspace.
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

    def question(self, draft: Question, path: Sequence[Sequence[float]]) -> Question:
        rng = generator(self.settings.seed, draft.id)
        truth = QUESTION_TYPES["waypoint"].truth(draft, self.settings)
        wrong = self._wrong(draft, truth, path, rng)
        if self.settings.option_order == "canonical":
            options = sorted([truth, *wrong], key=lambda option: parse_state(option, len(draft.target)))
        else:
            options = [str(option) for option in rng.permutation([truth, *wrong])]
        question = replace(draft, options=options, answer=LETTERS[options.index(truth)])
        return replace(question, prompt=prompt_of(question, self.settings, self.scenes.get(draft.task)))

    def read(self, question: Question, completion: str) -> list[float] | None:
        letter = parse_answer(completion)
        if letter is None or letter not in LETTERS[: len(question.options)]:
            return None
        if letter == question.answer:
            return question.target
        return parse_state(question.options[LETTERS.index(letter)], len(question.target))

    def _wrong(self, draft: Question, truth: str, path: Sequence, rng: np.random.Generator) -> list[str]:
        draw = Draw(
            question=draft,
            truth=truth,
            settings=self.settings,
            rng=rng,
            states=path,
            other_answers=lambda: self.pools[draft.task].without(("", 0, 0), rng),
        )
        try:
            return position_distractors(draw)
        except DistractorError:
            return position_distractors(replace(draw, settings=replace(self.settings, distractors="uniform")))


class Coordinates:
    """The open form: the policy writes where to go. With `think`, a thought comes first."""

    def __init__(self, settings: BuildQuestions, scenes: Mapping[str, Metadata] | None = None, think: bool = False):
        self.settings, self.scenes, self.think = settings, scenes or {}, think

    def question(self, draft: Question, path: Sequence[Sequence[float]]) -> Question:
        prompt = open_prompt_of(draft, self.settings, self.scenes.get(draft.task), self.think)
        return replace(draft, prompt=prompt)

    def read(self, question: Question, completion: str) -> list[float] | None:
        return parse_state(completion, len(question.target))


def oracle_player(form: Form, decimals: int = EXACT) -> Player:
    """The script's own waypoints, through the same loop; with few `decimals`, the ceiling of coordinates so written."""
    if isinstance(form, Choices):
        return Player("oracle", form, oracle)
    return Player("oracle", form, lambda questions: [format_state(question.target, decimals) for question in questions])


def random_player(form: Form, seed: int) -> Player:
    """One of the options, or any place in the workspace."""
    if isinstance(form, Choices):
        return Player("random", form, lambda questions: random_choice(questions, seed))
    return Player("random", form, lambda questions: [_anywhere(question, seed) for question in questions])


def blind_player(form: Choices, training: Sequence[Question]) -> Player:
    """Reads the options and never looks: the text-only guesser, fitted on the waypoint questions of `training`."""
    waypoints = [question for question in training if question.type == "waypoint"]
    return Player("text_only", form, TextOnly().fit(waypoints).complete)


def policy_player(
    policy: str,
    form: Form,
    settings: RunBenchmarks,
    images: Literal["real", "blank"] = "real",
) -> Player:
    """The policy in `models/<policy>`, asked as in the benchmarks. Raises PolicyError for a folder without a policy."""
    ask = asker(policy, settings)

    def answers(questions: Sequence[Question]) -> list[str]:
        return [text or "" for text in ask(questions, images)]

    return Player(policy if images == "real" else f"{policy}-blank", form, answers, sees=True)


def _anywhere(question: Question, seed: int) -> str:
    rng = generator(seed, question.id)
    state = rng.uniform(SCENE_LOW, SCENE_HIGH).tolist()
    if is_extended(question.target):
        state += [*rng.uniform(0, 2 * np.pi, 3).tolist(), float(rng.integers(2))]
    return format_state(state, EXACT)
