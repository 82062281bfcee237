"""Write the prompts that a policy reads and the completions that it should write.

Every prompt has two forms: `compact`, a few dozen words for the tiny policy, and `full`, with the sections and
constants of the Robot-R1 prompts (figures 4 to 8) in this project's own words. A prompt is the user text without the
image token.
"""

from collections.abc import Sequence
from typing import Literal

from robotr1.metadata import (
    FINGER_LENGTH,
    GRIPPER_SIZE,
    LABEL_WORDS,
    PARTS,
    WORLD_ORIGIN,
    Metadata,
    describe_axes,
    describe_briefly,
    describe_reference,
    describe_scale,
)
from robotr1.questions.states import NAMES, StateKind
from robotr1.records import Question, QuestionType
from robotr1.settings import BuildQuestions

Form = Literal["compact", "full"]
LETTERS = "ABCDEFGH"

ROLE = "You are the assistant of a Franka robot arm: you plan its tasks and carry them out."
COMPACT_QUESTION = {
    "waypoint": "Where is the next waypoint?",
    "state": "Where is the gripper?",
    "movement": "Which movement leads to the next waypoint?",
}
STATE_LINES = {"compact": "Gripper: ", "full": "Position: "}  # before the stated position
FULL_QUESTION = {
    "waypoint": "From the image and the current state, where is the next waypoint {names} of the gripper? "
    "Choose the option that fits best:",
    "state": "From the image, what is the current {what} {names} of the gripper? Choose the option that fits best:",
    "movement": "Which movement takes the gripper to the next waypoint of the task? Choose the option that fits best:",
}
FULL_OPEN_QUESTION = {
    "waypoint": "Determine the next {what} {names} of the gripper that carries the task on.",
    "state": "Determine the current {what} {names} of the gripper from the image.",
}
WHAT: dict[StateKind, str] = {"position": "position", "extended": "state"}
UNITS: dict[StateKind, str] = {
    "position": "",
    "extended": "Position in metres; roll, pitch and yaw in radians, turns about the fixed axes X, Y and Z in this "
    "order; gripper 1 when open, 0 when closed.",
}

# The scene that the full prompt describes without metadata: RLBench's front view, the paper's constants.
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
    in_prompt=list(PARTS),
)


def format_number(value: float, decimals: int) -> str:
    """Write a number with at most `decimals` digits, trailing zeros dropped; zero has no sign."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def format_state(state: Sequence[float], decimals: int) -> str:
    """Write a state as the paper does: "[0.27, -0.11, 1.15]", every number with at most `decimals` digits."""
    return "[" + ", ".join(format_number(value, decimals) for value in state) + "]"


def completion_text(think: str, letter: str) -> str:
    """Write a completion in the form that the format reward requires."""
    return f"<think> {think} </think> <answer> [[{letter}]] </answer>"


def prompt_of(question: Question, settings: BuildQuestions, metadata: Metadata | None = None) -> str:
    """Write the multiple-choice prompt of a question with its options, as `settings` say."""
    stated = {"waypoint": settings.show_state, "movement": settings.show_state_in_movement}
    return mcqa_prompt(
        question.type,
        question.instruction,
        question.state if stated.get(question.type, False) else None,
        question.options,
        form=settings.prompt,
        decimals=settings.decimals,
        metadata=metadata,
        kind=settings.state,
    )


def open_prompt_of(
    question: Question, settings: BuildQuestions, metadata: Metadata | None = None, think: bool = False
) -> str:
    """Write the open prompt of a waypoint or state question, as `settings` say."""
    return sft_prompt(
        question.type,
        question.instruction,
        question.state if settings.show_state else None,
        form=settings.prompt,
        decimals=settings.decimals,
        metadata=metadata,
        kind=settings.state,
        think=think,
    )


def mcqa_prompt(
    type: QuestionType,
    instruction: str,
    state: Sequence[float] | None,
    options: Sequence[str],
    *,
    form: Form,
    decimals: int,
    metadata: Metadata | None = None,
    kind: StateKind = "position",
) -> str:
    """Write a multiple-choice prompt.

    As in the paper, the full movement prompt leaves out the origin and the gripper's size. In the paper's section 3.2
    it states the gripper's position and in figure 6 it does not: the caller chooses, by `state`.

    Args:
        state: [3] metres, or an extended [7]; stated unless None. State prompts ask for it and never state it.
        options: texts without letters, 2 to 8.
        metadata: describes those of axes, reference point and gripper that its `in_prompt` names. Where None, the
            full form states the paper's constants and the compact form nothing.
        kind: whether states are positions or extended.
    """
    choices = [f"[[{letter}]] {text}" for letter, text in zip(LETTERS, options, strict=False)]
    if form == "compact":
        opening = _compact_opening(type, instruction, state, decimals, metadata)
        return "\n".join([*opening, COMPACT_QUESTION[type], *choices, "Think, then answer."])
    answer = (
        "Think first, as an inner monologue, then give the final answer. Write the thought between <think> and "
        "</think> and the letter of one option between <answer> and </answer>, like this:\n"
        "<think> [your reasoning] </think> <answer> [[A]] </answer>"
    )
    question = "\n".join([_named(FULL_QUESTION[type], kind), *choices])
    return _full_prompt(type, instruction, state, decimals, metadata or STANDARD_SCENE, kind, question, answer)


def states_position(prompt: str) -> bool:
    """Whether a prompt, of either form, states the gripper's position."""
    return any(f"\n{opening}[" in prompt for opening in STATE_LINES.values())


def sft_prompt(
    type: QuestionType,
    instruction: str,
    state: Sequence[float] | None,
    *,
    form: Form,
    decimals: int,
    metadata: Metadata | None = None,
    kind: StateKind = "position",
    think: bool = False,
) -> str:
    """Write an open question (waypoint or state): no options, the answer is a state.

    The direct and chain-of-thought examples of the supervised baselines share this prompt and differ in the answer
    only (Robot-R1, appendix B.2). With `think` it requests a thought before the answer, each in its tags: the
    open-ended form of reinforcement learning (Table 9).
    Raises ValueError for movement questions, which the paper's supervised data does not have.
    """
    if type not in FULL_OPEN_QUESTION:
        raise ValueError(f"no open question for type {type!r}; the supervised data has waypoint and state")
    if form == "compact":
        opening = _compact_opening(type, instruction, state, decimals, metadata)
        answer = f"Think, then answer with {state_names(kind)}." if think else f"Answer with {state_names(kind)}."
        return "\n".join([*opening, COMPACT_QUESTION[type], answer])
    answer = f"Give the {WHAT[kind]}{' in metres' if kind == 'position' else ''} as {state_names(kind)}."
    if think:
        answer = (
            "Think first, as an inner monologue, then give the final answer. Write the thought between <think> and "
            f"</think> and the {WHAT[kind]} between <answer> and </answer>, like this:\n"
            f"<think> [your reasoning] </think> <answer> {state_names(kind)} </answer>"
        )
    question = _named(FULL_OPEN_QUESTION[type], kind)
    return _full_prompt(type, instruction, state, decimals, metadata or STANDARD_SCENE, kind, question, answer)


def state_names(kind: StateKind) -> str:
    """The form of a state in a prompt: "[x, y, z]"."""
    return f"[{', '.join(NAMES[kind])}]"


def _named(question: str, kind: StateKind) -> str:
    return question.replace("{what}", WHAT[kind]).replace("{names}", state_names(kind))


def _compact_opening(type, instruction: str, state, decimals: int, scene: Metadata | None) -> list[str]:
    lines = [f"Task: {sentence(instruction)}", *(describe_briefly(scene) if scene else ())]
    if type != "state" and state is not None:
        lines.append(f"{STATE_LINES['compact']}{format_state(state, decimals)}.")
    return lines


def _full_prompt(type, instruction, state, decimals, scene: Metadata, kind: StateKind, question, answer) -> str:
    told = {
        "axes": ["Directions are those of the front view.", *describe_axes(scene)],
        "reference": [describe_reference(scene)] if type != "movement" else [],
        "scale": [describe_scale(scene)] if type != "movement" else [],
    }
    told = {part: lines if part in scene.in_prompt else [] for part, lines in told.items()}
    sections = [
        ("", ROLE),
        ("Task", sentence(instruction)),
        ("Visual Input", "One image: the front view of the workspace."),
        ("Coordinate System", "\n".join(told["axes"] + told["reference"])),
        ("Robot Specifications", "\n".join(told["scale"])),
        (
            "Current Robot State",
            f"{STATE_LINES['full']}{format_state(state, decimals)}" if type != "state" and state is not None else "",
        ),
        ("States", "" if type == "movement" and state is None else UNITS[kind]),
        ("Question", question),
        ("Output Format", answer),
    ]
    return join_sections(sections)


def join_sections(sections: Sequence[tuple[str, str]]) -> str:
    """Join (title, text) pairs into a full prompt; pairs without text are left out, an empty title gives no heading."""
    return "\n\n".join(f"## {title}\n{text}" if title else text for title, text in sections if text)


def sentence(instruction: str) -> str:
    return instruction.strip().rstrip(".") + "."
