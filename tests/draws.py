"""Draws for tests of distractors: one question, its episode, and answers of other episodes."""

from dataclasses import replace

import numpy as np
from small_settings import QUESTIONS

from robotr1.questions.distractors.scene import SCENE_HIGH, SCENE_LOW
from robotr1.questions.distractors.strategies import Draw
from robotr1.questions.prompts import format_state
from robotr1.records import Question

POSITIONS = np.random.default_rng(0).uniform(SCENE_LOW, SCENE_HIGH, (200, 3)).round(6).tolist()
ANSWERS = [format_state(position, 6) for position in POSITIONS]
QUESTION = Question(
    id="t/variation0/episode0/frame0/waypoint",
    split="train",
    type="waypoint",
    task="t",
    variation=0,
    episode=0,
    frame=0,
    keyframe=5,
    image="0.png",
    instruction="do it",
    state=[0.2, 0.0, 1.0],
    target=[0.2, 0.1, 1.0],
    options=["[0.2, 0.1, 1]", "[0.5, 0.4, 0.8]", "[0.2, 0.3, 1.1]", "[-0.1, 0.3, 1.2]"],
    answer="A",
    prompt="Task: do it.\nGripper: [0.2, 0, 1].\nWhere is the next waypoint?",
)


def position_draw(strategy: str, truth, seed: int = 0, **changes) -> Draw:
    """A waypoint question at `truth`; keyword arguments change its settings, or the draw's `states` and `answers`."""
    rng = np.random.default_rng(seed)
    states, answers = changes.pop("states", POSITIONS), changes.pop("answers", ANSWERS)
    question = replace(QUESTION, target=list(truth), options=[], prompt="")
    return Draw(
        question=question,
        truth=format_state(truth, 6),
        settings=replace(QUESTIONS, **{"distractors": strategy, "decimals": 6} | changes),
        rng=rng,
        states=states,
        other_answers=lambda: (answers[i] for i in rng.permutation(len(answers))),
    )


def movement_draw(strategy: str, truth: str, rng: np.random.Generator, counts=None, **changes) -> Draw:
    """A movement question with the answer `truth`; `counts` of answers are those of both this and other episodes."""
    draw = position_draw(strategy, [0.2, 0.0, 1.0], **changes)
    return replace(
        draw,
        question=replace(draw.question, type="movement"),
        truth=truth,
        rng=rng,
        other_counts=lambda: counts or {},
        episode_counts=lambda: counts or {},
    )
