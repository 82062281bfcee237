import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.forms.pointing import mask_spans
from robotr1.training.rewards import point_format_reward, point_reward

MASK = np.zeros((20, 30), dtype=bool)
MASK[5:10, 8:14] = True
MASK[7, 10] = False  # a hole
PIXEL = st.floats(-5, 40).map(lambda value: round(value, 2))


def point(x, y):
    return f"<think> it is there </think> <answer> [[{x}, {y}]] </answer>"


@given(PIXEL, PIXEL)
def test_a_point_is_rewarded_inside_the_mask(x, y):
    columns = {"spans": [mask_spans(MASK)], "target": [[10, 7]], "radius": [3.0]}
    inside = 0 <= x < 30 and 0 <= y < 20 and MASK[int(y), int(x)]
    assert point_reward([point(x, y)], **columns) == [float(inside)]


@given(PIXEL, PIXEL)
def test_without_a_mask_near_the_position_is_rewarded(x, y):
    near = np.hypot(np.float64(x) - 10, np.float64(y) - 7) <= 3
    assert point_reward([point(x, y)], spans=[[]], target=[[10, 7]], radius=[3.0]) == [float(near)]


def test_only_the_one_point_of_the_answer_counts():
    columns = {"spans": [[[0, 0, 9]]] * 4, "target": [[0, 0]] * 4, "radius": [1.0] * 4}
    texts = ["<think> [[1, 0]] </think> nothing", point(1, 0) + point(1, 0), "<answer> [[1, 0], [2, 0]] </answer>"]
    texts.append("<answer> [[1, 0]] </answer>")
    assert point_reward(texts, **columns) == [0.0, 0.0, 0.0, 1.0]
    assert point_format_reward([*texts, point(1, 0)]) == [0.0, 0.0, 0.0, 0.0, 1.0]
