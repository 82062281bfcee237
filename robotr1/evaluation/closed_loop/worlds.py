"""Worlds to act in: one placement of a task, its script, and an arm that goes where it is told.

Two simulators stand behind one interface: the tabletop, and RLBench live. What a policy does not say (for a position:
rotation and gripper) comes from the script's step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from robotr1.questions.states import StateKind, states

Outcome = Literal["moved", "blocked", "unreachable"]
VARIATION = 0  # the paper's
ARRIVED = 0.01  # metres between the tip and where it was sent; the expert's own measure


@dataclass(frozen=True, eq=False)
class Goal:
    """One step of the script: the tip pose [7] (xyz, quaternion xyzw) and the gripper after it (1 open, 0 closed)."""

    pose: np.ndarray
    gripper: float


class World(Protocol):
    """One placement of a task, at its beginning."""

    task: str
    episode: int
    instruction: str
    goals: Sequence[Goal]  # the script of this placement
    demo: tuple[np.ndarray, np.ndarray]  # gripper_pose [T,7] and gripper_open [T] of the script's own run

    def image(self) -> np.ndarray:
        """The front image now, uint8 [H,W,3]."""

    def hand(self) -> tuple[np.ndarray, float]:
        """The tip's pose [7] and the gripper (1 open, 0 closed) now."""

    def execute(self, pose: np.ndarray, gripper: float) -> Outcome:
        """Go to a tip pose [7] and command the gripper there (1 open, 0 closed).

        "unreachable": there is no way; nothing has moved and the gripper keeps still. "blocked": the arm met something
        and stopped more than ARRIVED from the pose; the gripper was commanded all the same.
        """

    def success(self) -> bool:
        """Whether the task is done."""


def state_of(kind: StateKind, pose: np.ndarray, gripper: float) -> list[float]:
    """A tip pose [7] and gripper as a state of the questions: [3], or the extended [7]."""
    return states(kind, pose[None], np.array([gripper]))[0].tolist()
