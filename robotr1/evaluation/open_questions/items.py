"""Open questions in the form of Robot-R1 Bench (section 3.4), whose authors released no items.

As in the paper: 10 tasks x 5 frames and 215 questions in free text: 65 spatial ones, and 50 each on the whole plan, the
next step and the movement. Half of the tasks are trained on. `make_items` computes the references from the simulator's
true state and the tasks' scripts, with the paper's direction words as the front camera sees them.

Each item is one line of JSON, so that a person can read and correct it: judges compare answers with its reference.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from robotr1.evaluation.items import FOLDER, OPEN_QUESTIONS
from robotr1.evaluation.judging.rubric import Ability
from robotr1.fields import prompt_text
from robotr1.records import RecordError, read_records

GUIDE = {  # one sentence per ability, as in the paper's system prompt (figure 9)
    "spatial": "Say where things are relative to each other, or what was asked, and nothing else.",
    "planning": "List all remaining steps in order, one short action each.",
    "high_level": "Name only the one next step.",
    "movement": 'Give only the directions the gripper moves in; put "slightly" before the smaller ones.',
}
DIRECTIONS = (
    "Directions are those of the image: up and down; forward is toward the camera, backward away from it; right and "
    "left as the camera sees them."
)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One open question about one image."""

    id: str  # <frame>/<ability>, or <frame>/<ability>-<k> where a frame has several
    frame: str  # <task>/<number>; intervals resample whole frames
    ability: Ability
    distribution: Literal["in", "out"]  # whether policies are trained on the task
    task: str
    image: str  # relative to the repository root
    instruction: str = prompt_text()
    question: str = prompt_text()
    reference: str

    @property
    def prompt(self) -> str:
        """The whole user text, without the image token."""
        return "\n".join(
            [
                f"Task: {self.instruction.rstrip('.')}.",
                f"{DIRECTIONS} {GUIDE[self.ability]} Answer only what is asked, briefly.",
                f"Question: {self.question}",
                "Think first, between <think> and </think>; then give the answer between <answer> and </answer>.",
            ]
        )


def read_items(path: Path = FOLDER / OPEN_QUESTIONS) -> list[OpenItem]:
    """Read items, by default the committed ones. Raises RecordError for a broken line or a repeated id."""
    items = read_records(path, OpenItem)
    if repeated := [name for name, count in Counter(item.id for item in items).items() if count > 1]:
        raise RecordError(f"{path}: {repeated[0]} occurs twice; give every item its own id")
    return items
