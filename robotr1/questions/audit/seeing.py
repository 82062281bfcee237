"""Rules for policies that see the scene and do not know the step: what a gain in accuracy could be due to.

nearest to the gripper   the option nearest to the gripper's position now
farthest                 the option farthest from it
random step              a keyframe of the episode at random, and the option nearest to it: objects without the step
previous step            the keyframe before the due one, or the start, and the option nearest to it

For movement questions the rules predict a movement instead: towards the position, by the nearest option in words;
towards the gripper itself is no movement. State questions have no step, and these rules no guess.
"""

from collections.abc import Callable, Sequence
from math import dist

import numpy as np

from robotr1.questions.answers import parse_position
from robotr1.questions.audit.blind import BlindGuess
from robotr1.questions.movement import describe_movement, parse_movement, word_differences
from robotr1.questions.prompts import LETTERS
from robotr1.questions.randomness import generator
from robotr1.questions.splits import EpisodeKey
from robotr1.questions.trajectory import Trajectory
from robotr1.records import Question
from robotr1.statistics import accuracy_interval

Rule = Callable[[Question], str | None]


def seeing_rules(trajectories: Sequence[Trajectory], seed: int = 0) -> dict[str, Rule]:
    """The rules by name; each returns the letter of one option, or None for a question that it does not apply to."""
    path_of: dict[EpisodeKey, Trajectory] = {trajectory.key: trajectory for trajectory in trajectories}

    def keyframe_position(question: Question, keyframe: int) -> list[float]:
        states = path_of[question.task, question.variation, question.episode].states
        return states[keyframe][:3].tolist()

    def random_step(question: Question) -> str | None:
        keyframes = path_of[question.task, question.variation, question.episode].keyframes
        step = generator(seed, f"random step/{question.id}").choice(keyframes)
        return _option_near(question, keyframe_position(question, int(step)))

    def previous_step(question: Question) -> str | None:
        keyframes = path_of[question.task, question.variation, question.episode].keyframes
        earlier = [0, *keyframes[: keyframes.index(question.keyframe)]]
        return _option_near(question, keyframe_position(question, earlier[-1]))

    return {
        "nearest to the gripper": nearest_to_gripper,
        "farthest": farthest,
        "random step": random_step,
        "previous step": previous_step,
    }


def nearest_to_gripper(question: Question) -> str | None:
    """The option nearest to the gripper, which the policy sees; waypoint questions only."""
    return _option_near(question, question.state[:3]) if question.type == "waypoint" else None


def farthest(question: Question) -> str | None:
    """The option farthest from the gripper; waypoint questions only."""
    if question.type != "waypoint":
        return None
    return LETTERS[int(np.argmax([dist(parse_position(option), question.state[:3]) for option in question.options]))]


def _option_near(question: Question, position: Sequence[float]) -> str | None:
    """The option nearest to a position, or nearest in words to the movement there."""
    if question.type == "movement":
        wanted = parse_movement(describe_movement(np.subtract(position, question.state[:3])))
        distances = [word_differences(parse_movement(option), wanted) for option in question.options]
    elif question.type == "waypoint":
        distances = [dist(parse_position(option), position) for option in question.options]
    else:
        return None
    return LETTERS[int(np.argmin(distances))]


def audit_seeing(
    splits: dict[str, Sequence[Question]],
    trajectories: Sequence[Trajectory],
    confidence: float = 0.95,
    scored: Sequence[str] | None = None,
) -> list[BlindGuess]:
    """Accuracy of every rule on every split (or those in `scored`) and type that it applies to."""
    rows = []
    for split, questions in splits.items():
        for type in dict.fromkeys(question.type for question in questions) if scored is None or split in scored else ():
            chosen = [question for question in questions if question.type == type]
            for name, rule in seeing_rules(trajectories).items():
                letters = [rule(question) for question in chosen]
                if None not in letters:
                    correct = [letter == question.answer for letter, question in zip(letters, chosen, strict=True)]
                    rows.append(BlindGuess(name, split, type, len(chosen), *accuracy_interval(correct, confidence)))
    return rows
