import pytest

from robotr1.training.rewards import box_format_reward, box_reward


@pytest.mark.parametrize(
    ("written", "iou"), [((0, 0, 2, 2), 1.0), ((1, 1, 3, 3), 1 / 7), ((5, 5, 6, 6), 0.0), ((0, 0, 4, 1), 1 / 3)]
)
def test_the_reward_is_the_iou(written, iou):
    text = f"<think> so </think> <answer> {list(written)} </answer>"
    assert box_reward([text], answer=[[0, 0, 2, 2]]) == pytest.approx([iou])
    assert box_format_reward([text]) == [1.0]


def test_no_box_no_reward():
    texts = ["<think> [0, 0, 2, 2] </think> none", "<answer> [2, 2, 0, 0] </answer>", "<answer> [0, 0, 2] </answer>"]
    assert box_reward(texts, answer=[[0, 0, 2, 2]] * 3) == [0.0] * 3
    assert box_format_reward(texts) == [0.0] * 3
