import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.forms.progress import SIDES, is_progress_formatted, parse_progress


@given(st.sampled_from(SIDES), st.integers(0, 100) | st.floats(0, 100).map(lambda value: round(value, 2)))
def test_a_written_answer_is_read(side, percent):
    for body in (f"{side}, {percent} %", f"{side},{percent}%"):
        text = f"<think> so </think> <answer> {body} </answer>"
        assert parse_progress(text) == (side, percent)
        assert is_progress_formatted(text)
        assert not is_progress_formatted(text.removeprefix("<think> so </think> "))


@pytest.mark.parametrize(
    "body",
    [
        "right",
        "40 %",
        "right 40 %",
        "right, 40",
        "right, 101 %",
        "right, -1 %",
        "Right, 40 %",
        "up, 40 %",
        "right, nan %",
    ]
    + ["right, 40 %, left, 20 %", "right, 0.4", "right, 40 % or so", "right, 4e1 %"],
)
def test_other_answers_are_no_progress(body):
    assert parse_progress(f"<think> a </think> <answer> {body} </answer>") is None
    assert not is_progress_formatted(f"<think> a </think> <answer> {body} </answer>")
