"""The judged text is data in the prompt, and answers that speak to the judge are recognised."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.judging.prompt import LONGEST_ANSWER, RUBRIC, looks_like_injection, messages
from robotr1.evaluation.judging.rubric import Case


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=[]), max_size=3000))
def test_any_answer_travels_as_one_string(answer):
    system, user = messages(Case("movement", "Which way?", "move up", answer))
    assert system == {"role": "system", "content": RUBRIC}
    fields = json.loads(user["content"].encode())
    assert set(fields) == {"question", "model_answer", "ground_truth"}
    assert len(fields["model_answer"]) <= LONGEST_ANSWER


@pytest.mark.parametrize(
    "text", ["move up", "1. grasp the cup, 2. lift it", "The gripper is above the cup", "Yes.", "12 cm"]
)
def test_ordinary_answers_are_no_injections(text):
    assert not looks_like_injection(text)
