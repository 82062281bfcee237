"""The prompt of the EB-Manipulation protocol: action space, examples, instruction, objects, history.

As in EmbodiedBench, objects are numbered from left to right and have no names: the policy must recognise them in the
image, which shows the numbers. Their coordinates are exact. The examples are of the same task and in text only. The
wording is this project's own. Examples are the scripted expert's, on other scenes.
"""

import json
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from robotr1.evaluation.eb_manipulation.actions import DEGREES, POSITION_BINS, ROTATION_BINS, Action, encode_position
from robotr1.evaluation.eb_manipulation.scenes import EmbodiedScene

RULES = f"""You control a robot arm with a two-finger gripper above a table, seen from the front.
Positions [X, Y, Z] are whole numbers from 0 to {POSITION_BINS}: X grows toward the viewer, Y to the right, Z upward.
Objects are numbered from left to right, as in the picture, and given with the position of their middle.
An action is [X, Y, Z, Roll, Pitch, Yaw, Gripper]: where the point between the finger tips goes, how the gripper is
turned (whole numbers from 0 to {ROTATION_BINS}, {DEGREES} degrees each, 0 is -180 degrees) and what it does there
(1 open, 0 closed). The gripper moves in a straight line and acts when it has arrived.
Answer with one JSON object and nothing else. Its keys are visual_state_description (what the numbered objects are),
reasoning_and_reflection, language_plan, and executable_plan:
a list of objects {{"action": "[X, Y, Z, Roll, Pitch, Yaw, Gripper]"}}."""


def prompt(
    scene: EmbodiedScene,
    instruction: str,
    examples: Sequence[str],
    history: Sequence[tuple[Action | None, str]] = (),
) -> str:
    """The whole text; `history` holds the actions so far (None: an unreadable reply) and their outcomes."""
    parts = [RULES, *(f"Example {number}\n{example}" for number, example in enumerate(examples, start=1))]
    parts.append(f"Now your turn.\n{_task(instruction, scene)}")
    if history:
        lines = [f"{n}. {list(action or [])}: {outcome}" for n, (action, outcome) in enumerate(history, start=1)]
        parts.append("\n".join(["Done so far; the task is not finished:", *lines]))
    return "\n\n".join([*parts, "Answer:"])


def example(scene: EmbodiedScene, subset: str = "base") -> str:
    """An instruction with the expert's answer in the requested form."""
    named = [f"object {number} is the {name}" for number, (name, _) in enumerate(scene.objects(), start=1)]
    instruction, words = scene.instruction(subset), scene.plan_in_words()
    reply = {
        "visual_state_description": "; ".join(named),
        "reasoning_and_reflection": f"The task is to {instruction}. Nothing has been done yet.",
        "language_plan": "; ".join(f"{number}. {step}" for number, step in enumerate(words, start=1)),
        "executable_plan": [{"action": str(list(action))} for action in scene.plan],
    }
    return f"{_task(instruction, scene)}\nAnswer: {json.dumps(reply)}"


def numbered_image(scene: EmbodiedScene) -> Image.Image:
    """The front image with the objects' numbers drawn onto it."""
    drawn = Image.fromarray(scene.image())
    pen = ImageDraw.Draw(drawn)
    for number, (x, y) in enumerate(np.round(scene.pixels()), start=1):
        box = pen.textbbox((x, y), str(number), anchor="mm")
        pen.rectangle((box[0] - 2, box[1] - 2, box[2] + 1, box[3] + 1), fill="black")
        pen.text((x, y), str(number), fill="white", anchor="mm")
    return drawn


def _task(instruction: str, scene: EmbodiedScene) -> str:
    positions = {f"object {n}": encode_position(centre) for n, (_, centre) in enumerate(scene.objects(), start=1)}
    return f"Instruction: {instruction}\nObjects: {json.dumps(positions)}"
