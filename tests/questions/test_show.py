"""The figures contain the right artists."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

from robotr1.questions import show
from robotr1.questions.audit.blind import audit
from robotr1.questions.audit.strategies import audit_strategies
from robotr1.questions.build import build_questions
from robotr1.questions.trajectory import trajectories_of


@pytest.fixture
def axes():
    fig, axes = plt.subplots()
    yield axes
    plt.close(fig)


@pytest.fixture(scope="module")
def splits(study, settings):
    return build_questions(*study, settings)


def test_letters_and_difficulty_count_every_question(axes, splits, settings):
    show.plot_letters(axes, splits["train"], "train")
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([len(splits["train"]) / 4] * 4, abs=1)
    axes.clear()
    for type in settings.types:
        show.plot_difficulty(axes, splits["train"], type)
        assert sum(bar.get_height() for bar in axes.patches) == len(splits["train"]) / 3
        axes.clear()


def test_a_type_without_distances_says_so(axes, splits):
    show.plot_difficulty(axes, splits["train"], "colour")
    assert not axes.patches
    assert "no distance" in axes.texts[0].get_text()


def test_blind_guesses_and_strategies(axes, splits, study, settings):
    rows = audit(splits)
    show.plot_blind(axes, rows, "test_in", 0.25)
    assert len(axes.patches) == len([row for row in rows if row.split == "test_in"])
    axes.clear()
    audited = audit_strategies(trajectories_of(*study), settings, ["uniform", "near_miss"])
    show.plot_strategies(axes, audited, "waypoint", 0.25)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["uniform", "near_miss"]
    assert axes.get_legend_handles_labels()[1] == ["chance", "gripper not stated", "stated"]


def test_an_option_is_drawn_at_its_position(axes, splits, study):
    question = splits["train"][0]
    episode = next(
        episode for episode in study[0] if (episode.task, episode.episode) == (question.task, question.episode)
    )
    show.draw_question(axes, question, episode)
    texts = {text.get_text(): text for text in axes.texts}
    assert set(texts) == set("ABCD")
    (pixel,) = episode.project([question.target], frame=question.frame)
    assert texts[question.answer].get_position() == pytest.approx(tuple(pixel), abs=0.1)
    assert texts[question.answer].get_bbox_patch().get_facecolor()[:3] == matplotlib.colors.to_rgb(show.TRUTH)
