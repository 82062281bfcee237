import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.prompts import (
    STANDARD_SCENE,
    completion_text,
    format_number,
    format_state,
    mcqa_prompt,
    sft_prompt,
    states_position,
)

OPTIONS = ["[0.1, 0.2, 0.8]", "[0, 0, 1]", "[0.3, 0.1, 1]", "[0.2, -0.2, 0.9]"]
STATE = [0.2701, -0.1149, 1.15]


@given(st.floats(-10, 10), st.integers(0, 6))
def test_numbers_have_at_most_the_stated_decimals(value, decimals):
    text = format_number(value, decimals)
    assert float(text) == pytest.approx(value, abs=0.5 * 10**-decimals + 1e-12)
    assert re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", text)
    assert text != "-0"


def test_positions_are_written_as_in_the_paper():
    assert format_state([0.2651, -0.112, 1.154], 3) == "[0.265, -0.112, 1.154]"
    assert format_state([-0.07, 0.2, 1.0], 3) == "[-0.07, 0.2, 1]"
    assert format_state([-0.001, 100, 0], 2) == "[0, 100, 0]"


def test_compact_waypoint_prompt():
    assert mcqa_prompt("waypoint", "pick up the red cup", STATE, OPTIONS, form="compact", decimals=2) == (
        "Task: pick up the red cup.\n"
        "Gripper: [0.27, -0.11, 1.15].\n"
        "Where is the next waypoint?\n"
        "[[A]] [0.1, 0.2, 0.8]\n"
        "[[B]] [0, 0, 1]\n"
        "[[C]] [0.3, 0.1, 1]\n"
        "[[D]] [0.2, -0.2, 0.9]\n"
        "Think, then answer."
    )


@pytest.mark.parametrize("form", ["compact", "full"])
def test_state_prompts_never_state_the_gripper(form):
    state_text = format_state(STATE, 2)
    for type, told in (("waypoint", True), ("state", False), ("movement", True)):
        prompt = mcqa_prompt(type, "pick up the cup.", STATE, OPTIONS, form=form, decimals=2)
        assert (state_text in prompt) == told
        assert "pick up the cup.\n" in prompt
        assert [f"[[{letter}]] {option}" in prompt for letter, option in zip("ABCD", OPTIONS)] == [True] * 4


def test_full_prompt_has_the_sections_and_constants_of_the_paper():
    prompt = mcqa_prompt("waypoint", "pick up the cup", STATE, OPTIONS, form="full", decimals=3)
    for text in ("[0.25, 0, 0.752]", "0.06", "0.2 ", "0.09", "0.04", "[0.27, -0.115, 1.15]"):
        assert text in prompt
    assert "<think> [your reasoning] </think> <answer> [[A]] </answer>" in prompt
    titles = re.findall(r"^## (.*)$", prompt, re.MULTILINE)
    assert titles == [
        "Task",
        "Visual Input",
        "Coordinate System",
        "Robot Specifications",
        "Current Robot State",
        "Question",
        "Output Format",
    ]


def test_full_movement_prompt_leaves_out_what_the_paper_leaves_out():
    prompt = mcqa_prompt("movement", "pick up the cup", None, ["move up", "move down"], form="full", decimals=3)
    assert "0.752" not in prompt
    assert "Robot Specifications" not in prompt
    assert "Current Robot State" not in prompt


PART_WORDS = {"axes": "toward the camera", "reference": "[1, 2, 3]", "scale": "ruler"}


@pytest.mark.parametrize("form", ["compact", "full"])
@pytest.mark.parametrize("told", [[], ["axes"], ["reference"], ["scale"], ["axes", "scale"], list(PART_WORDS)])
def test_prompts_describe_only_the_chosen_metadata(form, told):
    scene = replace(STANDARD_SCENE, reference_point=[1.0, 2.0, 3.0], scale_object="ruler", in_prompt=told)
    texts = [
        mcqa_prompt("state", "pick up", STATE, OPTIONS, form=form, decimals=2, metadata=scene),
        sft_prompt("waypoint", "pick up", STATE, form=form, decimals=2, metadata=scene),
    ]
    for text in texts:
        assert {part for part, words in PART_WORDS.items() if words in text} == set(told)


def test_without_metadata_only_full_prompts_state_the_constants_of_the_paper():
    compact, full = (
        mcqa_prompt("state", "pick up", STATE, OPTIONS, form=form, decimals=2) for form in ("compact", "full")
    )
    assert "0.752" in full and "0.752" not in compact
    assert "camera" not in compact


@pytest.mark.parametrize("form", ["compact", "full"])
@pytest.mark.parametrize("kind", ["position", "extended"])
def test_prompts_name_the_numbers_of_a_state(form, kind):
    state = STATE if kind == "position" else [*STATE, 3.1416, 0.0, 1.5, 1.0]
    names = {"position": "[x, y, z]", "extended": "[x, y, z, roll, pitch, yaw, gripper]"}[kind]
    for think in (False, True):
        opened = sft_prompt("waypoint", "pick up", state, form=form, decimals=2, kind=kind, think=think)
        assert names in opened and format_state(state, 2) in opened
        assert ("Think" in opened) == think
        assert ("<think>" in opened) == (think and form == "full")
    choice = mcqa_prompt("state", "pick up", None, OPTIONS, form=form, decimals=2, kind=kind)
    assert (names in choice) == (form == "full")
    assert ("radians" in choice) == (form == "full" and kind == "extended")
    assert "{" not in choice


@pytest.mark.parametrize("form", ["compact", "full"])
def test_open_questions_have_no_options(form):
    waypoint = sft_prompt("waypoint", "pick up the cup", STATE, form=form, decimals=2)
    state = sft_prompt("state", "pick up the cup", None, form=form, decimals=2)
    assert "[[" not in waypoint + state
    assert "[0.27, -0.11, 1.15]" in waypoint
    assert "0.27" not in state
    with pytest.raises(ValueError, match="waypoint and state"):
        sft_prompt("movement", "pick up the cup", STATE, form=form, decimals=2)


@pytest.mark.parametrize("form", ["compact", "full"])
def test_a_waypoint_prompt_states_the_position_only_when_it_is_given(form):
    shown = mcqa_prompt("waypoint", "pick up the cup", STATE, OPTIONS, form=form, decimals=2)
    hidden = mcqa_prompt("waypoint", "pick up the cup", None, OPTIONS, form=form, decimals=2)
    assert states_position(shown) and not states_position(hidden)
    assert set(hidden.splitlines()) < set(shown.splitlines())


def test_completion():
    assert completion_text("it is left", "B") == "<think> it is left </think> <answer> [[B]] </answer>"
