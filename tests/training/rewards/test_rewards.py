"""Properties of every reward: any text gets a value in [0, 1], in linear time."""

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_settings import GRPO

from robotr1.questions.forms.plans import write_plan
from robotr1.questions.prompts import completion_text
from robotr1.training.rewards import (
    REWARDS,
    accuracy_reward,
    box_format_reward,
    box_reward,
    consistency_reward,
    format_reward,
    open_format_reward,
    path_format_reward,
    path_reward,
    plan_format_reward,
    plan_order_reward,
    point_format_reward,
    point_reward,
    progress_format_reward,
    progress_reward,
    reward_weights,
    state_reward,
)

ACTIONS = ["move above the cup", "grasp the cup", "lift the cup", "let go"]
POSITIONS = ["[0, 0, 0]", "[0.1, 0.2, 0.3]", "[1, 1, 1]", "[0.5, -0.5, 1]"]
MOVEMENTS = ["move up", "move down", "slightly move left and move up", "stay in place"]
# Every reward with its columns for one completion.
STATE, EXTENDED = [0.1, 0.2, 0.8], [0.1, 0.2, 0.8, 3.1, 0.0, 3.1, 1.0]
PLAN = {"answer": [[1, 2]], "actions": [ACTIONS]}
POINT = {"spans": [[[3, 2, 9], [4, 0, 5]]], "target": [[4, 3]], "radius": [2.0]}
CASES = {
    "format": (format_reward, {}),
    "accuracy": (accuracy_reward, {"answer": ["A"], "type": ["state"]}),
    "consistency": (consistency_reward, {"options": [POSITIONS], "type": ["waypoint"]}),
    "consistent movement": (consistency_reward, {"options": [MOVEMENTS], "type": ["movement"]}),
    "open format": (open_format_reward, {"answer": [STATE]}),
    "state": (state_reward, {"answer": [STATE]}),
    "extended state": (state_reward, {"answer": [EXTENDED]}),
    "plan format": (plan_format_reward, PLAN),
    "plan order": (plan_order_reward, PLAN),
    "point format": (point_format_reward, POINT),
    "point": (point_reward, POINT),
    "point without mask": (point_reward, POINT | {"spans": [[]]}),
    "box format": (box_format_reward, {}),
    "box": (box_reward, {"answer": [[0, 0, 9, 9]]}),
    "path format": (path_format_reward, {}),
    "path": (path_reward, {"answer": [[[0, 0], [5, 5], [9, 0]]], "size": [[20, 20]]}),
    "progress format": (progress_format_reward, {}),
    "progress": (progress_reward, {"later": ["right"], "progress": [40.0]}),
}
RIGHT = [
    completion_text("It is at [0, 0, 0.1].", "A"),
    completion_text("From here to there: move up.", "A"),
    "<think> so </think> <answer> [0.1, 0.2, 0.8] </answer>",
    f"<think> so </think> <answer> {EXTENDED} </answer>",
    write_plan("There.", "Next.", [1, 2], ACTIONS),
    "<think> so </think> <answer> [[4, 3]] </answer>",
    "<think> so </think> <answer> [0, 0, 9, 9] </answer>",
    "<think> so </think> <answer> [[0, 0], [5, 5], [9, 0]] </answer>",
    "<think> so </think> <answer> right, 40 % </answer>",
]
TAGS = ["<think>", "</think>", "<answer>", "</answer>"]
PIECES = ["[[A]]", "[[B]]", "[[a]]", "A or B", "[0.1, 0.2, 0.3]", "[[1, 2]]", "[1, 2, 3, 4]", "[0.1, 0.2]", "1. ", "]}"]
HOSTILE = [
    "\n",
    "\0",
    "\u2028",
    "\ud800",
    "\u0661",
    "\u0410",
    "nan",
    "inf",
    "1e999",
    "-0.",
    "9" * 400,
    "{" * 50,
    '"\\',
    "<|im_end|>",
]
CHARACTERS = st.text(st.characters(exclude_categories=()), max_size=60)
PARTS = st.lists(st.sampled_from([*TAGS, *PIECES, *HOSTILE, " ", "x"]), max_size=20).map("".join)


@st.composite
def damaged(draw):
    """A right completion with a part removed, doubled or replaced."""
    text = draw(st.sampled_from(RIGHT))
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    return text[:start] + draw(CHARACTERS | PARTS | st.just(text[start:end] * 2)) + text[end:]


@settings(max_examples=300)
@given(CHARACTERS | PARTS | damaged())
def test_any_text_gets_a_reward_between_zero_and_one(text):
    for name, (reward, columns) in CASES.items():
        (value,) = reward([text], **columns)
        assert type(value) is float, name
        assert 0.0 <= value <= 1.0, name
        assert reward([[{"role": "assistant", "content": text}]], **columns) == [value], name


@pytest.mark.parametrize("message", [[], [{"role": "assistant", "content": None}], [{"role": "assistant"}]], ids=repr)
def test_a_message_without_text_gets_nothing(message):
    for name, (reward, columns) in CASES.items():
        assert reward([message], **columns) == [0.0], name


def test_every_reward_reaches_one():
    for name, (reward, columns) in CASES.items():
        best = max(reward([text], **columns)[0] for text in RIGHT)
        assert best == pytest.approx(1.0), name


@pytest.mark.parametrize("start", ["", "<think> x </think> <answer> ", "<answer> [", '{"executable_plan": ['])
@pytest.mark.parametrize(
    "piece",
    [*TAGS, *PIECES, *HOSTILE, " ", "[", "1", "[1,", "[1,1,1", "[1, 2], ", "{", "{}", "<answer> [[A]] ", "- ", "[ 1 , "]
    + ['{"action_id": 1, "action_name": "grasp the cup"},'],
    ids=lambda piece: ascii(piece[:20]),
)
def test_a_megabyte_is_read_in_linear_time(start, piece):
    """Quadratic time would take hours here."""
    text = start + piece * (1_000_000 // len(piece))
    for name, (reward, columns) in CASES.items():
        before = time.process_time()
        (value,) = reward([text], **columns)
        assert time.process_time() - before < 5, name
        assert 0.0 <= value < 1.0, name


def test_the_weights_of_the_settings_are_those_of_the_functions():
    assert reward_weights(GRPO) == {format_reward: 1.0, accuracy_reward: 1.0}
    assert list(reward_weights(GRPO)) == [format_reward, accuracy_reward], "TRL takes functions and weights in order"


@pytest.mark.parametrize("form", REWARDS)
def test_each_form_has_its_own_functions(form):
    chosen = dataclasses.replace(GRPO, form=form, format_weight=0.2, accuracy_weight=0.8)
    assert reward_weights(chosen) == dict(zip(REWARDS[form], (0.2, 0.8), strict=True))


def test_consistency_needs_a_weight():
    chosen = dataclasses.replace(GRPO, consistency_weight=0.5)
    assert reward_weights(chosen) == {format_reward: 1.0, accuracy_reward: 1.0, consistency_reward: 0.5}
