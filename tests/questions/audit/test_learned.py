"""The learned guesses find what leaks, within a split as well as from train, and nothing in paired options."""

from dataclasses import replace

import numpy as np
import pytest
from draws import QUESTION

from robotr1.questions.audit.learned import FOLDS, Forest, audit_learned, forest_features
from robotr1.questions.build import stream_questions
from robotr1.questions.splits import SPLITS
from robotr1.questions.trajectory import trajectories_of


def questions_where(right, count=600, episodes=30):
    """State questions whose right option is the one that `right` picks from four random positions."""
    rng = np.random.default_rng(0)
    points = np.round(rng.uniform([-0.2, -0.4, 0.75], [0.6, 0.4, 1.4], (count, 4, 3)), 2)
    return [
        replace(
            QUESTION,
            type="state",
            prompt="Where?",
            episode=number % episodes,
            options=[str(point.tolist()) for point in options],
            answer="ABCD"[int(right(options, rng))],
        )
        for number, options in enumerate(points)
    ]


def test_features_do_not_depend_on_the_answer():
    other = replace(QUESTION, answer="C", target=[0.2, 0.3, 1.1], image="1.png")
    np.testing.assert_array_equal(forest_features(QUESTION), forest_features(other))


@pytest.mark.parametrize(
    ("right", "low", "high"),
    [
        (lambda options, rng: np.abs(options[:, 2] - 1.0).argmin(), 0.7, 1.0),
        (lambda options, rng: options[:, 1].argsort()[1], 0.7, 1.0),  # the second from the left: no line tells it
        (lambda options, rng: rng.integers(4), 0.15, 0.35),
    ],
    ids=["middle height", "second from the left", "noise"],
)
def test_the_forest_learns_a_shortcut_and_nothing_from_noise(right, low, high):
    questions = questions_where(right)
    guesses = Forest().fit(questions[:400]).choose_all(questions[400:])
    accuracy = np.mean([guess == question.answer for guess, question in zip(guesses, questions[400:], strict=True)])
    assert low <= accuracy <= high


def test_folds_find_a_shortcut_that_train_does_not_have():
    splits = {
        "train": questions_where(lambda options, rng: rng.integers(4)),
        "test_out": [
            replace(q, split="test_out") for q in questions_where(lambda options, rng: options[:, 2].argmin())
        ],
    }
    rows = {row.policy: row.accuracy for row in audit_learned(splits, scored=["test_out"])}
    assert set(rows) == {"logit", "forest", "logit, folds", "forest, folds"}
    assert max(rows["logit"], rows["forest"]) < 0.5
    assert min(rows["logit, folds"], rows["forest, folds"]) > 0.9


def test_few_episodes_have_no_folds():
    splits = {"train": questions_where(lambda options, rng: 0), "test_in": [QUESTION] * 8}
    few = [
        replace(question, type="state", prompt="Where?", episode=i % (FOLDS - 1))
        for i, question in enumerate(splits["test_in"])
    ]
    rows = audit_learned(splits | {"test_in": few}, scored=["test_in"])
    assert {row.policy for row in rows} == {"logit", "forest"}


def test_paired_options_leak_nothing(study, settings):
    """Within luck: 3.3 standard deviations of a fair guess."""
    chosen = replace(settings, distractors="paired", paired_questions=600, show_state=False)
    questions = list(stream_questions(trajectories_of(*study), chosen))
    splits = {split: [question for question in questions if question.split == split] for split in SPLITS}
    for row in audit_learned(splits):
        assert row.accuracy < 0.25 + 3.3 * (0.25 * 0.75 / row.questions) ** 0.5, row


def test_without_training_questions():
    with pytest.raises(ValueError, match="training questions"):
        audit_learned({"train": [], "test_in": [QUESTION]})
