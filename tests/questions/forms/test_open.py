from dataclasses import replace

import pytest

from robotr1.questions.build import build_questions
from robotr1.questions.forms.open import open_questions
from robotr1.questions.prompts import format_state, states_position
from robotr1.records import OpenQuestion, read_records, write_records
from robotr1.training.rewards import open_format_reward, state_reward


@pytest.fixture(scope="module")
def built(study, settings):
    return build_questions(*study, settings)


@pytest.mark.parametrize("form", ["compact", "full"])
def test_open_questions_ask_the_same_without_options(built, settings, form):
    chosen = replace(settings, prompt=form)
    for split, questions in open_questions(built, chosen).items():
        asked = [question for question in built[split] if question.type != "movement"]
        assert [question.id for question in questions] == [question.id for question in asked]
        for question, choice in zip(questions, asked, strict=True):
            assert question.answer == (choice.target if choice.type == "waypoint" else choice.state)
            assert "[[" not in question.prompt
            assert states_position(question.prompt) == (choice.type == "waypoint")
            assert "<answer>" in question.prompt or "Think" in question.prompt
            if choice.type == "state":
                assert format_state(choice.state, settings.decimals) not in question.prompt


def test_the_truth_gets_nearly_the_full_reward(built, settings):
    """The written numbers are rounded: at most half of the last digit is lost on each of three axes."""
    questions = open_questions(built, settings)["train"]
    texts = [f"<think> look </think> <answer> {format_state(q.answer, settings.decimals)} </answer>" for q in questions]
    rewards = state_reward(texts, answer=[question.answer for question in questions])
    assert min(rewards) >= 1 - 3 * 0.005 - 1e-9
    assert open_format_reward(texts, answer=[question.answer for question in questions]) == [1.0] * len(texts)


def test_records_come_back(built, settings, tmp_path):
    questions = open_questions(built, settings)["test_out"]
    write_records(tmp_path / "open.jsonl", questions)
    assert questions and read_records(tmp_path / "open.jsonl", OpenQuestion) == questions
