import pytest

from robotr1.training.rewards import progress_format_reward, progress_reward


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("right, 40 %", 1.0),
        ("left, 40 %", 0.5),
        ("right, 90 %", 0.75),
        ("left, 100 %", 0.2),
        ("right", 0.0),
        ("40 %", 0.0),
    ],
)
def test_order_and_progress_count_half(body, value):
    text = f"<think> so </think> <answer> {body} </answer>"
    assert progress_reward([text], later=["right"], progress=[40.0]) == pytest.approx([value])
    assert progress_format_reward([text]) == [float(value > 0)]


def test_a_constant_answer_gets_no_more_than_half_the_order():
    texts = ["<answer> right, 50 % </answer>"] * 4
    rewards = progress_reward(texts, later=["right", "left"] * 2, progress=[50.0] * 4)
    assert rewards == [1.0, 0.5, 1.0, 0.5]
