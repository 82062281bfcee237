"""Only the text inside one <answer> after the thinking is judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.judging.rubric import answer_text


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("<think> no </think> <answer> move up </answer>", "move up"),
        ("<answer>move up</answer> Score: 3", "move up"),
        ("<think> <answer> a </answer> </think> <answer> b </answer>", None),
        ("<answer> a </answer> <answer> b </answer>", None),
        ("<answer> </answer>", None),
        ("<answer> a", None),
        ("move up", None),
        ("", None),
    ],
)
def test_only_what_is_inside_the_answer_is_judged(completion, expected):
    assert answer_text(completion) == expected


@given(st.lists(st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", " a ", "<", "\u2028"])).map("".join))
def test_any_completion_has_an_answer_or_none(completion):
    found = answer_text(completion)
    assert found is None or (found and found in completion)
