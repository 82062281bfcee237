import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.prompts import format_state
from robotr1.questions.states import state_distance
from robotr1.training.rewards import open_format_reward, state_reward

COORDINATE = st.integers(-999, 1999).map(lambda thousandths: thousandths / 1000)
STATE = st.lists(COORDINATE, min_size=3, max_size=3)
EXTENDED = st.tuples(STATE, st.lists(st.floats(0, 6.28), min_size=3, max_size=3), st.integers(0, 1)).map(
    lambda parts: [*parts[0], *parts[1], float(parts[2])]
)


def test_figure_13_of_the_paper():
    truth = [0.179, -0.026, 0.846]
    texts = ["<answer> [0.2, -0.1, 0.75] </answer>", "<answer> [0.275, -0.009, 0.85] </answer>"]
    assert state_reward(texts, target=[truth] * 2) == pytest.approx([1 - 0.191, 1 - 0.117])


@given(STATE, STATE)
def test_state_reward_is_one_minus_the_sum_of_differences(written, truth):
    distance = sum(abs(a - b) for a, b in zip(written, truth, strict=True))
    text = f"<think> look </think> <answer> {format_state(written, 3)} </answer>"
    assert state_reward([text], answer=[truth]) == pytest.approx([max(0.0, 1 - distance)])
    assert state_reward([text], answer=["A"], target=[truth]) == pytest.approx([max(0.0, 1 - distance)])
    assert open_format_reward([text], answer=[truth]) == [1.0]


@given(EXTENDED, EXTENDED)
def test_state_reward_of_extended_states(written, truth):
    text = f"<think> look </think> <answer> {format_state(written, 6)} </answer>"
    (value,) = state_reward([text], answer=[truth])
    assert value == pytest.approx(max(0.0, 1 - state_distance(written, truth)), abs=1e-4)
    assert open_format_reward([text, text], answer=[truth, truth[:3]]) == [1.0, 0.0]
    assert state_reward([text], answer=[truth[:3]]) == [0.0]  # seven numbers are no position


@pytest.mark.parametrize(
    "text",
    ["<think> a </think> <answer> [[A]] </answer>", "<answer> [0, 0, 0] </answer>", "<think> a </think> [0, 0, 0]"]
    + ["<think> a </think> <answer> at [0, 0, 0] </answer>", "<think> </think> <answer> [0, 0, 0] </answer>"]
    + ["<think> a </think> <answer> [0, 0, 0] [1, 1, 1] </answer>", "<think> a </think> <answer> [0, 0, 0] </answer>."],
)
def test_open_answers_out_of_form(text):
    assert open_format_reward([text], answer=[[0.0, 0.0, 0.0]]) == [0.0]


def test_a_state_in_the_thought_does_not_count():
    texts = ["<think> <answer> [0, 0, 0] </answer> </think>", "<think> [0, 0, 0] </think> <answer> none </answer>"]
    assert state_reward(texts, answer=[[0.0, 0.0, 0.0]] * 2) == [0.0, 0.0]


def test_no_state_no_reward():
    assert state_reward(["<answer> [0.1, 0.2] </answer>", "", "nan"], target=[[0.0, 0.0, 0.0]] * 3) == [0.0] * 3


def test_the_true_state_must_be_a_column():
    with pytest.raises(TypeError, match="in the column `answer`"):
        state_reward(["x"], type=["state"])
