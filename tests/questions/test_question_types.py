"""A registered question type is built, checked and audited."""

from dataclasses import replace

import pytest

from robotr1.questions import prompts
from robotr1.questions.audit.blind import audit
from robotr1.questions.build import build_questions
from robotr1.questions.distractors.strategies import DistractorError
from robotr1.questions.question_types import QUESTION_TYPES, register_type


@pytest.fixture
def height():
    def truth(question, settings):
        return f"{question.target[2]:.2f} m"

    register_type("height", truth, "How high is the next waypoint?")
    yield
    for words in (QUESTION_TYPES, prompts.COMPACT_QUESTION, prompts.FULL_QUESTION):
        del words["height"]


@pytest.mark.usefixtures("height")
@pytest.mark.parametrize("form", ["compact", "full"])
def test_a_new_type_builds_and_is_audited(study, settings, form):
    splits = build_questions(*study, replace(settings, types=["height", "state"], options=3, prompt=form))
    asked = [question for question in splits["test_in"] if question.type == "height"]
    assert asked
    for question in asked:
        assert f"{question.target[2]:.2f} m" == question.options["ABC".index(question.answer)]
        assert len(set(question.options)) == 3
        assert "How high is the next waypoint?" in question.prompt
    guesses = {row.policy for row in audit(splits) if row.type == "height"}
    assert guesses == {"majority letter", "text only"}


@pytest.mark.usefixtures("height")
def test_more_options_than_answers_is_an_error(study, settings):
    with pytest.raises(DistractorError, match="height questions fail; .*only [0-6] other answers are known"):
        build_questions(*study, replace(settings, types=["height"], options=8))
