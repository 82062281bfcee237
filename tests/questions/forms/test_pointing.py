import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robotr1.questions.forms.pointing import is_inside, is_near, is_point_formatted, mask_spans, parse_point

PIXEL = st.integers(-99, 9999) | st.floats(0, 999).map(lambda value: round(value, 3))


@given(PIXEL, PIXEL)
def test_a_written_point_is_read(x, y):
    text = f"<think> there </think> <answer> [[{x}, {y}]] </answer>"
    assert parse_point(text) == (x, y)
    assert is_point_formatted(text)
    assert parse_point(text.removeprefix("<think> there </think> ")) == (x, y)
    assert not is_point_formatted(text.removeprefix("<think> there </think> "))


@pytest.mark.parametrize(
    "body",
    [
        "[1, 2]",
        "[[1, 2], [3, 4]]",
        "[[1 2]]",
        "[[1, 2, 3]]",
        "[[1, 2]] or [[3, 4]]",
        "[[1, nan]]",
        "[[1, inf]]",
        "[[1e3, 2]]",
    ]
    + ["[[1234567890, 2]]", "[[A]]", "[[١, ٢]]", "[[1, 2]", ""],
)
def test_other_answers_are_no_point(body):
    assert parse_point(f"<think> a </think> <answer> {body} </answer>") is None
    assert not is_point_formatted(f"<think> a </think> <answer> {body} </answer>")


@given(arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 7))))
def test_spans_hold_exactly_the_pixels_of_the_mask(mask):
    spans = mask_spans(mask)
    height, width = mask.shape
    for y in range(-1, height + 1):
        for x in range(-1, width + 1):
            true = 0 <= y < height and 0 <= x < width and mask[y, x]
            assert is_inside((x, y), spans) == is_inside((x + 0.999, y + 0.5), spans) == true
    assert all(type(number) is int for span in spans for number in span), "plain numbers, for JSON"


def test_an_empty_mask_has_no_spans():
    assert mask_spans(np.zeros((3, 4))) == []


def test_near_counts_the_border():
    assert is_near((3, 4), (0, 0), 5)
    assert not is_near((3, 4.01), (0, 0), 5)
