"""Synthetic examples with an image: a prompt worded like the study's questions, and a completion in the answer form.

An example is consistent in itself: the letter is always the option nearest to the coordinates in its thought, and a
movement is always the one between the two positions named. The task's *rule* is left out. About the next waypoint, the
thought names the gripper or one of the task's objects at random, and a movement goes from one to the other in either
direction. A policy trained on this writes well and knows nothing of the task, as a general vision-language model would;
where the next waypoint is, is left to reinforcement learning (or to fine-tuning).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robotr1.demos.tabletop.tasks import load_task
from robotr1.questions.distractors.movements import sample_movements
from robotr1.questions.movement import describe_movement
from robotr1.questions.prompts import LETTERS, completion_text, format_state, mcqa_prompt, sft_prompt
from robotr1.training.pretrain.displacements import differences_in_words, displacement_thought
from robotr1.training.pretrain.scenes import (
    DECIMALS,
    FAR,
    NEAR,
    Scene,
    is_apart,
    nearest_letter,
    option_texts,
    sample_options,
)

GRIPPER_ODDS = 0.15  # of the gripper in thoughts about waypoints, in the recipe's last stage


@dataclass(frozen=True)
class ImageExample:
    """A user prompt about an image, and its completion."""

    prompt: str
    completion: str


def state_example(scene: Scene, rng: np.random.Generator) -> ImageExample:
    """Where is the gripper? The thought names its position, the letter follows."""
    anchors = [scene.gripper]
    _, position = scene.named_positions[rng.integers(1, len(scene.named_positions))]
    if is_apart(scene.gripper, position) and rng.random() < 0.5:
        anchors.append(position)
    options = sample_options(anchors, 4, rng)
    texts = option_texts(options)
    prompt = mcqa_prompt("state", _instruction(scene, rng), None, texts, form="compact", decimals=DECIMALS)
    return ImageExample(prompt, _position_completion("gripper", scene.gripper, options))


def waypoint_example(scene: Scene, rng: np.random.Generator, gripper: float | None = None) -> ImageExample:
    """Where is the next waypoint? The thought names the gripper or an object at random.

    All are equally likely, unless `gripper` gives the odds of the gripper.
    """
    deviation = NEAR if rng.random() < 0.5 else FAR
    anchors: list[np.ndarray] = []
    for index in rng.permutation(len(scene.named_positions))[: rng.integers(1, 3)]:
        anchor = scene.named_positions[index][1] + rng.normal(0, deviation, 3)
        if all(is_apart(anchor, other) for other in anchors):
            anchors.append(anchor)
    options = sample_options(anchors, 4, rng)
    stated = scene.gripper if rng.random() < 0.3 else None
    instruction, texts = _instruction(scene, rng), option_texts(options)
    prompt = mcqa_prompt("waypoint", instruction, stated, texts, form="compact", decimals=DECIMALS)
    return ImageExample(prompt, _position_completion(*_random_position(scene, rng, gripper), options))


def movement_example(scene: Scene, rng: np.random.Generator) -> ImageExample:
    """Which movement comes next? The thought goes between the gripper and an object, in a random direction."""
    positions = scene.named_positions
    ends = [positions[0], positions[rng.integers(1, len(positions))]]
    (start, here), (end, there) = ends if rng.random() < 0.5 else ends[::-1]
    movement = describe_movement(np.round(there, DECIMALS) - np.round(here, DECIMALS))
    anchor = movement
    if rng.random() < 0.3:  # the options need not hold the movement of the thought
        anchor = sample_movements(movement, 1, rng)[0]
    options = [anchor, *sample_movements(anchor, 3, rng)]
    options = [options[i] for i in rng.permutation(4)]
    differences = differences_in_words(options, movement)
    best = np.flatnonzero(np.array(differences) == min(differences))
    letter = LETTERS[rng.choice(best)]
    prompt = mcqa_prompt("movement", _instruction(scene, rng), None, options, form="compact", decimals=DECIMALS)
    thought = "".join(displacement_thought(start, end, np.round(here, DECIMALS), np.round(there, DECIMALS)))
    return ImageExample(prompt, completion_text(thought, letter))


def open_example(scene: Scene, rng: np.random.Generator) -> ImageExample:
    """A state or waypoint question without options; the answer names a position in a sentence."""
    question_type = "state" if rng.random() < 0.6 else "waypoint"
    stated = scene.gripper if rng.random() < 0.3 else None
    prompt = sft_prompt(question_type, _instruction(scene, rng), stated, form="compact", decimals=DECIMALS)
    named = scene.named_positions[0] if question_type == "state" else _random_position(scene, rng)
    return ImageExample(prompt, _position_thought(*named))


def caption_example(scene: Scene, rng: np.random.Generator) -> ImageExample:
    """Name gripper and objects with their positions, in any order."""
    order = rng.permutation(len(scene.named_positions))
    thoughts = [_position_thought(*scene.named_positions[index]) for index in order]
    return ImageExample("Describe the image.", " ".join(thoughts))


def _random_position(scene: Scene, rng: np.random.Generator, gripper: float | None = None) -> tuple[str, np.ndarray]:
    if gripper is None:
        return scene.named_positions[rng.integers(len(scene.named_positions))]
    return scene.named_positions[0 if rng.random() < gripper else rng.integers(1, len(scene.named_positions))]


def _instruction(scene: Scene, rng: np.random.Generator) -> str:
    variants = load_task(scene.task).instructions(0)
    return variants[rng.integers(len(variants))]


def _position_thought(name: str, position: np.ndarray) -> str:
    return f"The {name} is at {format_state(position, DECIMALS)}."


def _position_completion(name: str, position: np.ndarray, options: Sequence[np.ndarray]) -> str:
    return completion_text(_position_thought(name, position), nearest_letter(position, options))
