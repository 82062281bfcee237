"""Reasoning compared with the letter, the object and the true position."""

import numpy as np
import pandas as pd
import pytest
from synthetic_study import predictions, question, questions

from robotr1.evaluation.multiple_choice.consistency import (
    consistency,
    consistency_change,
    examine,
    object_named,
    objects_of,
)
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.questions.prompts import completion_text, format_state

RNG = np.random.default_rng(3)
WAYPOINT, STATE, MOVEMENT = (question(RNG, kind) for kind in ("waypoint", "state", "movement"))


def measured(asked, completion):
    (prediction,) = evaluate("base", [asked], [completion])
    return examine(prediction, asked)


def test_a_sound_answer_passes_all_three():
    thought = f"The cup is at {format_state(WAYPOINT.target, 2)}."
    assert measured(WAYPOINT, completion_text(thought, WAYPOINT.answer)) == {
        "agrees": True,
        "names": True,
        "close": True,
    }


def test_letter_against_words():
    other = next(letter for letter in "ABCD" if letter != WAYPOINT.answer)
    thought = f"The cup is at {format_state(WAYPOINT.target, 2)}."
    assert measured(WAYPOINT, completion_text(thought, other))["agrees"] is False


def test_wrong_object_and_wrong_place():
    far = [value + 0.3 for value in STATE.state]
    found = measured(STATE, completion_text(f"The cup is at {format_state(far, 2)}.", "A"))
    assert (found["names"], found["close"]) == (False, False)


@pytest.mark.parametrize("completion", ["", "rubbish", completion_text("No idea.", "A"), "<think> [0.1, 0.2] </think>"])
def test_what_cannot_be_measured_is_none(completion):
    assert measured(WAYPOINT, completion) == {"agrees": None, "names": None, "close": None}


def test_a_letter_without_answer_form_is_not_measured():
    assert measured(WAYPOINT, f"<think> The cup is at {WAYPOINT.options[0]}. </think> A")["agrees"] is None


def test_the_last_object_before_the_last_position_counts():
    assert object_named("The cup is at [1, 1, 1]. The gripper is at [0, 0, 0]. A nice cup.") == "gripper"
    assert object_named("From the Gripper at [1, 1, 1] to the lid at [0, 0, 1]: move up.") == "lid"
    assert object_named("push the button") == "button"
    assert object_named("cupboards and grippers") is None


def test_the_way_between_two_positions_is_no_position():
    here, there = (format_state(place, 2) for place in (MOVEMENT.state, MOVEMENT.target))
    way = format_state([end - start for start, end in zip(MOVEMENT.state, MOVEMENT.target, strict=True)], 2)
    truth = MOVEMENT.options["ABCD".index(MOVEMENT.answer)]
    thought = f"From the gripper at {here} to the cup at {there} is {way}: {truth}."
    assert measured(MOVEMENT, completion_text(thought, MOVEMENT.answer)) == {
        "agrees": True,
        "names": True,
        "close": True,
    }


def test_unknown_tasks_have_no_name_to_check():
    assert objects_of(question(RNG, "waypoint", task="reach_target")) == ()
    assert objects_of(question(RNG, "state", task="reach_target")) == ("gripper",)


def test_shares_are_over_measurable_completions_and_their_number_is_shown():
    asked = [question(np.random.default_rng(frame), frame=frame) for frame in range(3)]
    sound = completion_text(f"The cup is at {format_state(asked[0].target, 2)}.", asked[0].answer)
    table = consistency(evaluate("base", asked, [sound, "rubbish", "rubbish"]), asked)
    row = table[(table["type"] == "all") & (table["measure"] == "agrees")].iloc[0]
    assert row[["completions", "questions", "share"]].tolist() == [3, 1, 1.0]
    rubbish = consistency(evaluate("base", [WAYPOINT], ["rubbish"]), [WAYPOINT])
    assert set(rubbish["questions"]) == {0}
    assert rubbish["share"].isna().all()


def test_references_and_variants_are_left_out():
    asked = questions(episodes=1)
    table = consistency(predictions(asked), asked)
    assert set(table["policy"]) == {"base", "grpo-seed0", "sft-direct"}


def test_change_is_paired_and_corrected():
    asked = questions()
    table = consistency_change(predictions(asked), asked, [("grpo-seed0", "base"), ("grpo-seed0", "nobody")])
    assert set(table["baseline"]) == {"base"}
    assert (table["p_holm"] >= table["p_value"]).all()
    assert isinstance(consistency_change([], [], []), pd.DataFrame)
