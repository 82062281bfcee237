import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.prompts import completion_text, format_state
from robotr1.training.rewards import (
    accuracy_reward,
    common_subsequence,
    format_reward,
    sequence_reward,
    state_reward,
)

LETTERS = st.sampled_from("ABCD")
COORDINATE = st.integers(-999, 1999).map(lambda thousandths: thousandths / 1000)
STATE = st.lists(COORDINATE, min_size=3, max_size=3)
STEP = st.sampled_from(["grasp the lid", "lift it", "move left", "put it down", "open the gripper"])
ANYTHING = st.text(max_size=200) | st.lists(
    st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "[[A]]", "[[B]]", "[0.1, 0.2, 0.3]", " ", "x"])
).map("".join)


def message(text):
    return [{"role": "assistant", "content": text}]


@given(ANYTHING, LETTERS, STATE, st.lists(STEP))
def test_anything_gets_a_reward_between_zero_and_one(text, letter, state, steps):
    columns = {"answer": [letter], "target": [state], "sequence": [steps], "prompts": [""], "type": ["state"]}
    for reward in (format_reward, accuracy_reward, state_reward, sequence_reward):
        (value,) = reward([text], **columns)
        assert 0.0 <= value <= 1.0
        assert reward([message(text)], **columns) == [value]


@given(LETTERS, LETTERS)
def test_right_letter_in_the_right_form(written, truth):
    completion = completion_text("so it is", written)
    assert format_reward([completion]) == [1.0]
    assert accuracy_reward([completion], answer=[truth]) == [float(written == truth)]


@pytest.mark.parametrize(
    "text",
    [
        "<answer> [[A]] </answer>",  # no thought
        "<think> a </think> [[A]]",
        "<think> a </think> <answer> A </answer>",
        "<think> a </think> <answer> [[A]] [[B]] </answer>",
        "<think> a </think> <answer> [[A]] </answer> and more",
        "<think> a </think> <answer> [[A]] </answer> <answer> [[A]] </answer>",
    ],
)
def test_nearly_right_forms_get_nothing(text):
    assert format_reward([text]) == [0.0]


def test_two_answers_do_not_pay():
    both = "<think> a </think> <answer> [[A]] </answer> <answer> [[B]] </answer>"
    assert accuracy_reward([both, both], answer=["A", "B"]) == [0.0, 0.0]


def test_accuracy_by_type_is_logged():
    logged = {}
    texts = [completion_text("a", letter) for letter in "AAB"]
    kinds = ["state", "waypoint", "waypoint"]
    accuracy_reward(texts, answer=["A"] * 3, type=kinds, log_metric=logged.__setitem__)
    assert logged == {"accuracy/state": 1.0, "accuracy/waypoint": 0.5}


def test_figure_13_of_the_paper():
    truth = [0.179, -0.026, 0.846]
    texts = ["<answer> [0.2, -0.1, 0.75] </answer>", "<answer> [0.275, -0.009, 0.85] </answer>"]
    assert state_reward(texts, target=[truth] * 2) == pytest.approx([1 - 0.191, 1 - 0.117])


@given(STATE, STATE)
def test_state_reward_is_one_minus_the_sum_of_differences(written, truth):
    distance = sum(abs(a - b) for a, b in zip(written, truth, strict=True))
    text = f"<think> look </think> <answer> {format_state(written, 3)} </answer>"
    assert state_reward([text], target=[truth]) == pytest.approx([max(0.0, 1 - distance)])


def test_no_state_no_reward():
    assert state_reward(["<answer> [0.1, 0.2] </answer>", "", "nan"], target=[[0.0, 0.0, 0.0]] * 3) == [0.0] * 3


@given(st.lists(STEP, min_size=1, max_size=8))
def test_the_wanted_sequence_gets_one(steps):
    numbered = " ".join(f"{i}. {step}" for i, step in enumerate(steps, start=1))
    lines = "\n".join(f"{i}) {step.upper()}." for i, step in enumerate(steps, start=1))
    texts = [f"<think> x </think> <answer> {plan} </answer>" for plan in (numbered, lines)]
    assert sequence_reward(texts, sequence=[steps] * 2) == [1.0, 1.0]


@given(st.lists(STEP, min_size=1, max_size=6), st.lists(STEP, max_size=6))
def test_extra_and_missing_steps_cost(steps, extra):
    longer = "\n".join([*steps, *extra])
    (value,) = sequence_reward([longer], sequence=[steps])
    assert value == pytest.approx(len(steps) / (len(steps) + len(extra)))
    (value,) = sequence_reward(["\n".join(steps)], sequence=[[*steps, *extra]])
    assert value == pytest.approx(len(steps) / (len(steps) + len(extra)))


@given(st.lists(STEP, max_size=7), st.lists(STEP, max_size=7))
def test_common_subsequence_against_recursion(a, b):
    def recurse(i, j):
        if i == len(a) or j == len(b):
            return 0
        if a[i] == b[j]:
            return 1 + recurse(i + 1, j + 1)
        return max(recurse(i + 1, j), recurse(i, j + 1))

    assert common_subsequence(a, b) == recurse(0, 0) == common_subsequence(b, a)
