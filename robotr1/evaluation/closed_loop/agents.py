"""The agents of the closed loop: oracle, random, text only, or a policy of the study."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from robotr1.evaluation.closed_loop.forms import Form, MultipleChoiceForm
from robotr1.evaluation.completions import FOLDER, load_completer
from robotr1.policies.reference import TextOnly, oracle, random_choice
from robotr1.questions.distractors.scene import SCENE_HIGH, SCENE_LOW
from robotr1.questions.prompts import format_state
from robotr1.questions.randomness import generator
from robotr1.questions.states import is_extended
from robotr1.records import Question
from robotr1.settings import RunBenchmarks

DECIMALS = 6  # of the oracle's and the random agent's open coordinates


@dataclass(frozen=True)
class Agent:
    """A policy and the form of its questions; images are rendered only for an agent that uses them."""

    name: str
    form: Form
    complete: Callable[[Sequence[Question]], Sequence[str]]  # one completion per question
    uses_images: bool = False


def oracle_agent(form: Form) -> Agent:
    """The script's own waypoints, through the same loop."""
    if isinstance(form, MultipleChoiceForm):
        return Agent("oracle", form, oracle)
    return Agent("oracle", form, lambda questions: [format_state(question.target, DECIMALS) for question in questions])


def random_agent(form: Form, seed: int) -> Agent:
    """A uniformly random option, or a uniformly random state in the workspace."""
    if isinstance(form, MultipleChoiceForm):
        return Agent("random", form, lambda questions: random_choice(questions, seed))
    return Agent("random", form, lambda questions: [_random_state(question, seed) for question in questions])


def text_only_agent(form: MultipleChoiceForm, training: Sequence[Question]) -> Agent:
    """The text-only baseline, fitted on the waypoint questions of `training`; it reads options and sees no image."""
    waypoints = [question for question in training if question.type == "waypoint"]
    return Agent("text_only", form, TextOnly().fit(waypoints).complete)


def policy_agent(policy: str, form: Form, settings: RunBenchmarks, cache: Path | None = FOLDER) -> Agent:
    """The policy in `models/<policy>`, with the settings of the benchmarks; `cache` is as in `load_completer`.

    Raises PolicyError for a folder without a policy.
    """
    complete = load_completer(policy, settings, cache)
    return Agent(policy, form, lambda questions: [text or "" for text in complete(questions)], uses_images=True)


def _random_state(question: Question, seed: int) -> str:
    rng = generator(seed, question.id)
    state = rng.uniform(SCENE_LOW, SCENE_HIGH).tolist()
    if is_extended(question.target):
        state += [*rng.uniform(0, 2 * np.pi, 3).tolist(), float(rng.integers(2))]
    return format_state(state, DECIMALS)
