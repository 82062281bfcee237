"""The controls of the multiple-choice benchmark, and what they catch."""

import dataclasses

import pytest
from synthetic_study import questions

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.multiple_choice.controls import check_controls, controls
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.questions.prompts import completion_text

ASKED = questions(episodes=3)


def test_controls_pass_on_sound_questions():
    found = controls(ASKED, ASKED, seed=0)
    check_controls(ASKED, found)
    assert {p.policy for p in found} == {"oracle", "random", "majority", "text_only"}
    assert all(p.correct for p in found if p.policy == "oracle")


def test_without_training_questions_there_is_no_text_only():
    assert {p.policy for p in controls(ASKED, [], seed=0)} == {"oracle", "random"}


def test_a_broken_scoring_is_caught():
    answers = [completion_text("x", "B" if one.answer == "A" else "A") for one in ASKED]
    with pytest.raises(BenchmarkError, match="the oracle fails"):
        check_controls(ASKED, evaluate("oracle", ASKED, answers))


def test_letters_that_are_always_the_same_are_caught():
    skewed = [dataclasses.replace(one, answer="A") for one in ASKED]
    with pytest.raises(BenchmarkError, match="not spread evenly"):
        check_controls(skewed, evaluate("random", skewed, [completion_text("x", "A")] * len(skewed)))
