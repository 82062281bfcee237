"""The rules of policies that see and do not know the step, by hand on one episode."""

from dataclasses import replace

import numpy as np
from draws import QUESTION

from robotr1.questions.audit.seeing import seeing_rules
from robotr1.questions.trajectory import Trajectory

STATES = np.array([[0.2, 0.0, 1.4], [0.2, 0.2, 1.0], [0.2, 0.2, 0.8], [0.4, -0.3, 1.0]])
PATH = Trajectory(("t", 0, 0), "do it", [1, 2, 3], STATES, range(4), "images")
ASKED = replace(
    QUESTION,
    frame=1,
    keyframe=2,
    state=[0.2, 0.2, 1.0],
    options=["[0.2, 0.2, 0.9]", "[0.2, 0.2, 1.1]", "[-0.2, -0.4, 1.3]", "[0.4, -0.3, 0.95]"],
    answer="A",
)


def test_rules_by_hand():
    rules = seeing_rules([PATH])
    assert rules["nearest to the gripper"](replace(ASKED, state=[0.2, 0.2, 1.06])) == "B"
    assert rules["farthest"](ASKED) == "C"
    assert rules["previous step"](replace(ASKED, state=[0, 0, 1], keyframe=3)) == "A"
    assert rules["previous step"](replace(ASKED, keyframe=1)) == "B", "before the first step: where the arm starts"
    drawn = {rules["random step"](replace(ASKED, id=str(number))) for number in range(40)}
    assert drawn == {"A", "D"}, "one of the three keyframes, two of which are nearest to A"


def test_movements_go_to_the_position_and_state_questions_have_no_rule():
    rules = seeing_rules([PATH])
    movement = replace(
        ASKED, type="movement", options=["move up", "move left and move down", "move right", "move down"], keyframe=3
    )
    assert rules["previous step"](replace(movement, state=[0.2, 0.2, 1.2])) == "D"
    assert rules["nearest to the gripper"](movement) is rules["farthest"](movement) is None
    assert all(rule(replace(ASKED, type="state")) is None for rule in rules.values())
