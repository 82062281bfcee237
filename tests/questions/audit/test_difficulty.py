import math
from dataclasses import replace

import pytest

from robotr1.questions.audit.difficulty import nearest_distractor
from robotr1.questions.build import build_questions
from robotr1.questions.distractors.positions import TOLERANCE


@pytest.fixture(scope="module")
def question(study, settings):
    return build_questions(*study, settings)["train"][0]


def test_positions(question):
    asked = replace(question, options=["[0, 0, 1.3]", "[0, 0.4, 1]", "[0, 0, 1]", "[9, 9, 9]"], answer="C")
    assert nearest_distractor(asked) == pytest.approx(0.3)


def test_movements(question):
    options = ["move up and move left", "move left", "slightly move forward and move left"]
    asked = replace(question, type="movement", options=options[1:], answer="A")
    assert nearest_distractor(asked) == 1
    both = ["move forward and move right", "move left and move up"]
    assert nearest_distractor(replace(asked, options=both, answer="B")) == 3


def test_other_texts_have_no_distance(question):
    assert math.isnan(nearest_distractor(replace(question, type="colour", options=["red", "blue"], answer="A")))


def test_built_questions_keep_the_gap(study, settings):
    for asked in build_questions(*study, settings)["train"]:
        assert nearest_distractor(asked) >= (1 if asked.type == "movement" else settings.minimum_gap) - TOLERANCE
