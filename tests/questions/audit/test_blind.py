from dataclasses import replace

import numpy as np
import pytest
from draws import QUESTION

from robotr1.questions.audit.blind import (
    ConditionalLogit,
    _fit_weights,
    audit,
    best_blind,
    lowest,
    middle,
    nearest_to_state,
    option_features,
)
from robotr1.questions.build import build_questions


def test_guesses_by_hand():
    assert nearest_to_state(QUESTION) == "A"
    assert lowest(QUESTION) == "B"
    assert middle(QUESTION) == "C"
    assert nearest_to_state(replace(QUESTION, prompt="Where is the next waypoint?")) is None
    movement = replace(
        QUESTION, type="movement", options=["move up", "move left and move down", "move left", "move down"]
    )
    assert lowest(movement) == "B"


def test_features_do_not_depend_on_the_answer():
    other = replace(QUESTION, answer="C", target=[0.2, 0.3, 1.1], image="1.png")
    np.testing.assert_array_equal(option_features(QUESTION), option_features(other))
    turned = replace(QUESTION, options=QUESTION.options[::-1])
    np.testing.assert_allclose(option_features(turned)[::-1], option_features(QUESTION))


def test_state_questions_do_not_leak_the_state():
    question = replace(QUESTION, type="state", prompt="Where is the gripper?", target=[0.3, 0.1, 1.0])
    moved = replace(question, state=[0.5, 0.4, 0.8])
    np.testing.assert_array_equal(option_features(question), option_features(moved))


def test_the_logit_recovers_known_weights():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 4, 3))
    weights = np.array([1.5, -0.7, 0.0])
    answers = (features @ weights + rng.gumbel(size=(4000, 4))).argmax(axis=1)
    np.testing.assert_allclose(_fit_weights(features, answers), weights, atol=0.12)


def test_the_logit_learns_a_shortcut_and_nothing_from_noise():
    rng = np.random.default_rng(0)
    points = np.round(rng.uniform([-0.2, -0.4, 0.75], [0.6, 0.4, 1.4], (600, 4, 3)), 2)
    lowest_of = points[:, :, 2].argmin(axis=1)
    for answers, low, high in ((lowest_of, 0.95, 1.0), (rng.integers(0, 4, 600), 0.15, 0.35)):
        questions = [
            replace(QUESTION, type="state", options=[str(point.tolist()) for point in options], answer="ABCD"[answer])
            for options, answer in zip(points, answers, strict=True)
        ]
        model = ConditionalLogit().fit(questions[:400])
        accuracy = np.mean([model.choose(question) == question.answer for question in questions[400:]])
        assert low <= accuracy <= high


def test_audit_covers_every_split_and_type(study, settings):
    splits = build_questions(*study, settings)
    rows = audit(splits)
    best = best_blind(rows)
    assert set(best) == {(split, type) for split in splits for type in settings.types}
    for row in rows:
        assert 0 <= row.low <= row.accuracy <= row.high <= 1
        assert row.questions == sum(question.type == row.type for question in splits[row.split])
        assert best[row.split, row.type].accuracy >= row.accuracy
    letters = [row.accuracy for row in rows if row.policy == "majority letter"]
    assert max(letters) < 0.3
    assert audit(splits) == rows


def test_without_training_questions():
    with pytest.raises(ValueError, match="training questions"):
        audit({"train": [], "test_in": [QUESTION]})
