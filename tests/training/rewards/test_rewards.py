"""What holds for every reward: any text gets a value in [0, 1], in linear time."""

import dataclasses
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_settings import GRPO

from robotr1.training.rewards import (
    REWARDS,
    accuracy_reward,
    consistency_reward,
    format_reward,
    open_format_reward,
    plan_format_reward,
    plan_order_reward,
    reward_weights,
    state_reward,
)

LETTERS = st.sampled_from("ABCD")
STATE = st.lists(st.floats(-1, 2), min_size=3, max_size=3) | st.lists(st.floats(-1, 6.28), min_size=7, max_size=7)
ACTIONS = ["move above the cup", "grasp the cup", "lift the cup", "let go"]
TAGS = ["<think>", "</think>", "<answer>", "</answer>"]
PIECES = ["[[A]]", "[[B]]", "[[a]]", "A or B", "A", "[0.1, 0.2, 0.3]", "[0.1, 0.2]", "1. ", "]}", "\n"]
ANYTHING = st.text(max_size=200) | st.lists(st.sampled_from([*TAGS, *PIECES, " ", "x"])).map("".join)
POSITIONS = ["[0, 0, 0]", "[0.1, 0.2, 0.3]", "[1, 1, 1]", "[0.5, -0.5, 1]"]
MOVEMENTS = ["move up", "move down", "slightly move left and move up", "stay in place"]


@given(ANYTHING, LETTERS, STATE)
def test_anything_gets_a_reward_between_zero_and_one(text, letter, state):
    shared = {"actions": [ACTIONS], "prompts": [""], "type": ["state"], "options": [POSITIONS]}
    for rewards, answer in (
        ((*REWARDS["mcqa"], consistency_reward), letter),
        (REWARDS["open"], state),
        (REWARDS["planning"], [0, 2]),
    ):
        for reward in rewards:
            (value,) = reward([text], answer=[answer], **shared)
            assert 0.0 <= value <= 1.0
            assert reward([[{"role": "assistant", "content": text}]], answer=[answer], **shared) == [value]


@pytest.mark.parametrize("start", ["", "<think> x </think> <answer> ", '{"executable_plan": ['])
@pytest.mark.parametrize(
    "piece",
    [*TAGS, *PIECES, " ", "[", "1", "[1,", "[1,1,1", "{", "{}", "\\", '"', "<answer> [[A]] ", "a.", "- ", "[ 1 , "]
    + ['{"action_id": 1, "action_name": "grasp the cup"},'],
)
def test_a_megabyte_is_read_in_linear_time(start, piece):
    """Quadratic time would take hours here."""
    text = start + piece * (1_000_000 // len(piece))
    for reward, answer in (
        (format_reward, "A"),
        (accuracy_reward, "A"),
        (consistency_reward, "A"),
        (open_format_reward, [0.1, 0.2, 0.8]),
        (state_reward, [0.1, 0.2, 0.8]),
        (state_reward, [0.1, 0.2, 0.8, 3.1, 0.0, 3.1, 1.0]),
        (plan_format_reward, [1, 2]),
        (plan_order_reward, [1, 2]),
    ):
        before = time.process_time()
        (value,) = reward([text], answer=[answer], actions=[ACTIONS], type=["movement"], options=[MOVEMENTS])
        assert time.process_time() - before < 5
        assert 0.0 <= value < 1.0


def test_the_weights_of_the_settings_are_those_of_the_functions():
    assert reward_weights(GRPO) == {format_reward: 1.0, accuracy_reward: 1.0}
    assert list(reward_weights(GRPO)) == [format_reward, accuracy_reward], "TRL takes functions and weights in order"


@pytest.mark.parametrize("form", REWARDS)
def test_each_form_has_its_own_functions(form):
    settings = dataclasses.replace(GRPO, form=form, format_weight=0.2, accuracy_weight=0.8)
    assert reward_weights(settings) == dict(zip(REWARDS[form], (0.2, 0.8), strict=True))


def test_consistency_needs_a_weight():
    settings = dataclasses.replace(GRPO, consistency_weight=0.5)
    assert reward_weights(settings) == {format_reward: 1.0, accuracy_reward: 1.0, consistency_reward: 0.5}
