"""Distances of written positions, on invented answers whose positions are known."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_study import question, results_of

from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.questions.prompts import LETTERS, completion_text, format_state
from robotr1.report.sections.written_positions import RULE, written_positions_table


@pytest.fixture
def asked():
    rng = np.random.default_rng(0)
    return [question(rng, "waypoint", "test_in", "pick_up_cup", episode) for episode in range(12)]


def table(asked, **written):
    """The table of policies that write the given positions."""
    predictions = []
    for policy, positions in written.items():
        texts = [
            "nothing" if place is None else completion_text(f"The cup is at {format_state(place, 4)}.", q.answer)
            for place, q in zip(positions, asked, strict=True)
        ]
        predictions += evaluate(policy, asked, texts)
    return written_positions_table(results_of(predictions, asked)).set_index("policy")


def test_positions_at_the_gripper_and_at_the_waypoint(asked):
    found = table(asked, base=[q.state for q in asked], **{"grpo-seed0": [q.target for q in asked]})
    gripper, waypoint = found.loc["base"], found.loc["GRPO"]
    assert gripper["to the gripper (cm)"] == waypoint["to the next waypoint (cm)"] == "0.0"
    assert gripper["nearer to the gripper"].startswith("100.0")
    assert waypoint["nearer to the gripper"].startswith("0.0")
    distance = np.median([100 * np.linalg.norm(np.subtract(q.state, q.target)) for q in asked])
    assert float(gripper["to the next waypoint (cm)"]) == pytest.approx(distance, abs=0.06)


def test_answers_without_a_position_have_no_distance_and_count_as_wrong(asked):
    found = table(asked, base=[None, None, None, *(q.state for q in asked[3:])])
    assert found.loc["base", "places"] == "9"
    assert found.loc["base", "right"].startswith("75.0")


def test_the_rule_takes_the_option_nearest_to_the_gripper(asked):
    near = []
    for number, q in enumerate(asked):
        options = [format_state(np.add(q.state, [0.3, 0.2, 0.1 * i]), 2) for i in range(3)]
        options.insert(number % 4, format_state(np.add(q.state, 0.01), 2))
        near.append(replace(q, options=options, answer=LETTERS[number % 4 if number < 9 else (number + 1) % 4]))
    assert table(near, base=[q.state for q in near]).loc[RULE, "right"].startswith("75.0")


def test_without_waypoint_questions_the_table_is_empty(asked):
    assert written_positions_table(results_of([], [])).empty
