"""The interface of an environment: one placement of a task, its script, and an arm that moves to commanded poses.

Two simulators implement it: the tabletop, and RLBench live. The script's current step completes what an action leaves
open (for a position: rotation and gripper).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from robotr1.questions.states import StateKind, states

Outcome = Literal["moved", "blocked", "unreachable"]
VARIATION = 0  # the paper's
ARRIVED = 0.01  # metres between the tip and the commanded position; the expert's own tolerance


@dataclass(frozen=True, eq=False)
class Goal:
    """One step of the script: the tip pose [7] (xyz, quaternion xyzw) and the gripper after it (1 open, 0 closed)."""

    pose: np.ndarray
    gripper: float


class Environment(Protocol):
    """One placement of a task, at its start."""

    task: str
    episode: int
    instruction: str
    goals: Sequence[Goal]  # the script of this placement
    demo: tuple[np.ndarray, np.ndarray]  # gripper_pose [T,7] and gripper_open [T] of the script's own run

    def image(self) -> np.ndarray:
        """The current front image, uint8 [H,W,3]."""

    def gripper(self) -> tuple[np.ndarray, float]:
        """The current tip pose [7] and the gripper (1 open, 0 closed)."""

    def execute(self, pose: np.ndarray, gripper: float) -> Outcome:
        """Move to a tip pose [7], then command the gripper (1 open, 0 closed).

        "unreachable": there is no path; neither arm nor gripper moves. "blocked": the arm met something and stopped
        more than ARRIVED from the pose; the gripper is commanded all the same.
        """

    def success(self) -> bool:
        """Whether the task is done."""


def state_of(kind: StateKind, pose: np.ndarray, gripper: float) -> list[float]:
    """A tip pose [7] and gripper as a state of the questions: [3], or the extended [7]."""
    return states(kind, pose[None], np.array([gripper]))[0].tolist()
