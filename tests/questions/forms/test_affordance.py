from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.forms.affordance import box_iou, is_box_formatted, parse_box

EDGE = st.floats(0, 500).map(lambda value: round(value, 2))


@st.composite
def boxes(draw):
    x1, y1 = draw(EDGE), draw(EDGE)
    return (x1, y1, round(x1 + draw(st.floats(0.01, 300)), 2), round(y1 + draw(st.floats(0.01, 300)), 2))


@given(boxes())
def test_a_written_box_is_read(truth):
    text = f"<think> there </think> <answer> {list(truth)} </answer>"
    assert parse_box(text) == truth
    assert is_box_formatted(text)
    assert not is_box_formatted(text + ".")
    assert box_iou(truth, truth) == pytest.approx(1.0)


@given(boxes(), boxes())
def test_iou_against_exact_fractions(one, other):
    a, b = ([Fraction(value) for value in edges] for edges in (one, other))
    sides = [max(0, min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1)]
    overlap = sides[0] * sides[1]
    union = sum((edges[2] - edges[0]) * (edges[3] - edges[1]) for edges in (a, b)) - overlap
    assert box_iou(one, other) == pytest.approx(float(overlap / union), abs=1e-9)
    assert box_iou(one, other) == box_iou(other, one)
    assert 0.0 <= box_iou(one, other) <= 1.0


@pytest.mark.parametrize(
    "body",
    ["[5, 0, 1, 9]", "[0, 9, 5, 1]", "[1, 1, 1, 5]", "[0, 0, 5]", "[0, 0, 5, 5, 5]", "[[0, 0], [5, 5]]", "0, 0, 5, 5"]
    + ["[0, 0, 5, nan]", "[0, 0, 5, 5] [0, 0, 5, 5]"],
)
def test_other_answers_are_no_box(body):
    assert parse_box(f"<think> a </think> <answer> {body} </answer>") is None
    assert not is_box_formatted(f"<think> a </think> <answer> {body} </answer>")


def test_iou_by_hand():
    assert box_iou((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert box_iou((0, 0, 1, 1), (1, 0, 2, 1)) == 0.0, "boxes that only touch"
