"""The texts that a policy reads and writes.

Every prompt has two forms: `compact`, a few dozen words for the tiny policy, and `full`, with the sections of the
Robot-R1 prompts (figures 4 to 8) in this project's own words around the paper's constants. A prompt is the user
text without the image token.
"""

from collections.abc import Sequence
from typing import Literal

from robotr1.metadata import (
    FINGER_LENGTH,
    GRIPPER_SIZE,
    LABEL_WORDS,
    WORLD_ORIGIN,
    Metadata,
    describe_axes,
    describe_reference,
    describe_scale,
)
from robotr1.records import QuestionType

Form = Literal["compact", "full"]
LETTERS = "ABCDEFGH"

COMPACT_QUESTION = {
    "waypoint": "Where is the next waypoint?",
    "state": "Where is the gripper?",
    "movement": "Which movement leads to the next waypoint?",
}
STATE_LINES = {"compact": "Gripper: ", "full": "Position: "}  # what comes before the stated position
FULL_QUESTION = {
    "waypoint": "From the image and the current state, where is the next waypoint [x, y, z] of the gripper? "
    "Choose the option that fits best:",
    "state": "From the image, what is the current position [x, y, z] of the gripper? Choose the option that fits best:",
    "movement": "Which movement takes the gripper to the next waypoint of the task? Choose the option that fits best:",
}
FULL_OPEN_QUESTION = {
    "waypoint": "Determine the next position [x, y, z] of the gripper that carries the task on.",
    "state": "Determine the current position [x, y, z] of the gripper from the image.",
}


# What the full prompt says of the scene where no metadata are given: RLBench's front view, the paper's constants.
STANDARD_SCENE = Metadata(
    task="",
    camera="front",
    camera_recorded=False,
    image_size=[],
    intrinsics=[],
    extrinsics=[],
    axes=[list(words) for words in LABEL_WORDS],
    alignment=[],
    reference_point=list(WORLD_ORIGIN),
    reference_name="center of the table surface",
    scale_object="gripper",
    scale_size=list(GRIPPER_SIZE),
    finger_length=FINGER_LENGTH,
)


def format_number(value: float, decimals: int) -> str:
    """Write a number with at most `decimals` digits, trailing zeros dropped; zero has no sign."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def format_state(state: Sequence[float], decimals: int) -> str:
    """Write a position in metres as the paper does: "[0.27, -0.11, 1.15]"."""
    return "[" + ", ".join(format_number(value, decimals) for value in state) + "]"


def completion_text(think: str, letter: str) -> str:
    """Write a completion in the form that the format reward wants."""
    return f"<think> {think} </think> <answer> [[{letter}]] </answer>"


def mcqa_prompt(
    type: QuestionType,
    instruction: str,
    state: Sequence[float] | None,
    options: Sequence[str],
    *,
    form: Form,
    decimals: int,
    metadata: Metadata | None = None,
) -> str:
    """Write a multiple-choice prompt.

    As in the paper, only the waypoint prompt may state where the gripper is: the state prompt asks for it, the movement
    prompt leaves it out (and, in full form, also the origin and the gripper's size).

    Args:
        state: [3] metres; stated by waypoint prompts unless None, not used by the other types.
        options: texts without letters, 2 to 8.
        metadata: what the full form says of axes, reference point and gripper; the paper's constants where None.
    """
    choices = [f"[[{letter}]] {text}" for letter, text in zip(LETTERS, options, strict=False)]
    if form == "compact":
        opening = _compact_opening(type, instruction, state, decimals)
        return "\n".join([*opening, COMPACT_QUESTION[type], *choices, "Think, then answer."])
    answer = (
        "Think first, as an inner monologue, then give the final answer. Write the thought between <think> and "
        "</think> and the letter of one option between <answer> and </answer>, like this:\n"
        "<think> [your reasoning] </think> <answer> [[A]] </answer>"
    )
    question = "\n".join([FULL_QUESTION[type], *choices])
    return _full_prompt(type, instruction, state, decimals, metadata or STANDARD_SCENE, question, answer)


def states_position(prompt: str) -> bool:
    """Whether a prompt, of either form, says where the gripper is."""
    return any(f"\n{opening}[" in prompt for opening in STATE_LINES.values())


def sft_prompt(
    type: QuestionType,
    instruction: str,
    state: Sequence[float] | None,
    *,
    form: Form,
    decimals: int,
    metadata: Metadata | None = None,
) -> str:
    """Write the open question of the supervised baselines (waypoint or state): no options, the answer is a position.

    Direct and chain-of-thought examples share this prompt and differ in the answer only (Robot-R1, appendix B.2).
    Raises ValueError for movement questions, which the paper's supervised data does not have.
    """
    if type not in FULL_OPEN_QUESTION:
        raise ValueError(f"no open question for type {type!r}; the supervised data has waypoint and state")
    if form == "compact":
        opening = _compact_opening(type, instruction, state, decimals)
        return "\n".join([*opening, COMPACT_QUESTION[type], "Answer with [x, y, z]."])
    answer = "Give the position in metres as [x, y, z]."
    return _full_prompt(
        type, instruction, state, decimals, metadata or STANDARD_SCENE, FULL_OPEN_QUESTION[type], answer
    )


def _compact_opening(type: QuestionType, instruction: str, state: Sequence[float] | None, decimals: int) -> list[str]:
    lines = [f"Task: {_sentence(instruction)}"]
    if type == "waypoint" and state is not None:
        lines.append(f"{STATE_LINES['compact']}{format_state(state, decimals)}.")
    return lines


def _full_prompt(type, instruction, state, decimals, scene: Metadata, question: str, answer: str) -> str:
    axes = ["Directions are those of the front view.", *describe_axes(scene)]
    sections = [
        ("", "You are the assistant of a Franka robot arm: you plan its tasks and carry them out."),
        ("Task", _sentence(instruction)),
        ("Visual Input", "One image: the front view of the workspace."),
        ("Coordinate System", "\n".join(axes if type == "movement" else [*axes, describe_reference(scene)])),
        ("Robot Specifications", "" if type == "movement" else describe_scale(scene)),
        (
            "Current Robot State",
            f"{STATE_LINES['full']}{format_state(state, decimals)}" if type == "waypoint" and state is not None else "",
        ),
        ("Question", question),
        ("Output Format", answer),
    ]
    return "\n\n".join(f"## {title}\n{text}" if title else text for title, text in sections if text)


def _sentence(instruction: str) -> str:
    return instruction.strip().rstrip(".") + "."
