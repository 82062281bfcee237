"""Which letter a completion chooses, and whether it is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_study import question

from robotr1.evaluation.multiple_choice.scoring import evaluate, evaluate_open_form
from robotr1.questions.prompts import completion_text

ASKED = question(np.random.default_rng(0))


@pytest.mark.parametrize(
    ("completion", "letter"),
    [
        (completion_text("Seen.", ASKED.answer), ASKED.answer),
        (f"<answer> [[{ASKED.answer}]] </answer>", ASKED.answer),
        (ASKED.answer, None),
        ("", None),
        ("<answer> [[A]] [[B]] </answer>", None),
        (completion_text("No such option.", "H"), None),
        (completion_text("No such letter.", "Z"), None),
    ],
)
def test_exactly_one_readable_letter_counts(completion, letter):
    (prediction,) = evaluate("base", [ASKED], [completion])
    assert prediction.letter == letter
    assert prediction.correct == (letter == ASKED.answer)
    assert prediction.completion == completion


def test_letter_without_thinking_counts_but_is_not_formatted():
    bare, full = evaluate("base", [ASKED] * 2, ["<answer> [[A]] </answer>", completion_text("Seen.", "A")])
    assert (bare.letter, bare.formatted) == ("A", False)
    assert (full.letter, full.formatted) == ("A", True)


@given(st.text())
def test_any_text_can_be_scored(text):
    (prediction,) = evaluate("base", [ASKED], [text])
    assert prediction.correct is False or prediction.letter == ASKED.answer


def test_numbers_of_questions_and_completions_must_agree():
    with pytest.raises(ValueError, match="base: 1 questions but 2 completions"):
        evaluate("base", [ASKED], ["", ""])


def test_the_open_form_takes_the_nearest_option():
    near = [round(value + 0.004, 3) for value in ASKED.target]
    right, broken = evaluate_open_form("sft-cot", [ASKED] * 2, [f"Move: move up\nAnswer: {near}", "Answer: above"])
    assert (right.policy, right.letter, right.correct) == ("sft-cot-own-form", ASKED.answer, True)
    assert (broken.letter, broken.correct, broken.formatted) == (None, False, False)
