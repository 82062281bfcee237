"""A demonstration recorded by RLBench in CoppeliaSim goes the whole way to an answered, scored question sheet."""

import dataclasses

import numpy as np
import pytest

from robotr1.demos.collect import collect_demos
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.evaluation.multiple_choice.results import read as read_predictions
from robotr1.evaluation.multiple_choice.results import summarize
from robotr1.evaluation.multiple_choice.results import write as write_predictions
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.keyframes import keyframes_of
from robotr1.metadata import agrees_with_labels, design_metadata
from robotr1.policies.reference import TextOnly, oracle, random_choice
from robotr1.questions.answers import parse_state
from robotr1.questions.build import build_questions
from robotr1.questions.movement import describe_movement
from robotr1.records import Keyframes, Question, read_records, write_records
from robotr1.settings import load_settings

pytestmark = pytest.mark.filterwarnings("ignore:.*variation_descriptions:UserWarning")


@pytest.fixture
def episodes(recordings, tmp_path):
    """The real recording, taken in as the first stage takes it."""
    settings = dataclasses.replace(
        load_settings()["extract_demos"],
        source="recorded",
        recorded_folder=str(recordings),
        train_tasks=[],
        held_out_tasks=["reach_target"],
        demos_per_held_out_task=1,
    )
    (summary,) = collect_demos(settings, tmp_path / "data/demos").tasks
    assert (summary.task, summary.demos, summary.longest) == ("reach_target", 1, 70)
    return [read_episode(folder) for folder in list_episodes(tmp_path / "data/demos")]


@pytest.fixture
def settings():
    return dataclasses.replace(
        load_settings()["build_questions"],
        held_out_tasks=["reach_target"],
        distractors="uniform",
        validation_episodes=0,
        test_episodes=0,
    )


@pytest.fixture
def sheet(episodes, settings, tmp_path):
    """The questions about the recording, through the files that the stages hand on."""
    write_records(tmp_path / "keyframes.jsonl", keyframes_of(episodes))
    keyframes = read_records(tmp_path / "keyframes.jsonl", Keyframes)
    assert [line.keyframes for line in keyframes] == [[69]]
    built = build_questions(episodes, keyframes, settings)
    write_records(tmp_path / "test_out.jsonl", built["test_out"])
    return read_records(tmp_path / "test_out.jsonl", Question)


def test_the_recorded_camera_fits_the_words_of_the_questions(episodes):
    assert agrees_with_labels(design_metadata(episodes))


def test_questions_ask_what_the_recording_shows(episodes, sheet, settings):
    (episode,) = episodes
    assert len(sheet) == 7 * 3  # frames 0, 10 … 60, three types
    end = episode.gripper_pose[69, :3]
    for question in sheet:
        now = episode.gripper_pose[question.frame, :3]
        truth = question.options["ABCD".index(question.answer)]
        if question.type == "movement":
            assert truth == describe_movement(np.round(end, 4) - np.round(now, 4), settings.dead_zone)
        else:
            np.testing.assert_allclose(parse_state(truth), end if question.type == "waypoint" else now, atol=0.006)
        assert question.instruction == "reach target"
        assert episode.image(question.frame).shape == (128, 128, 3)
        assert question.image.endswith(f"front_rgb/{question.frame}.png")


def test_reference_policies_answer_and_are_scored(sheet, settings, make_episode, tmp_path):
    synthetic = [read_episode(make_episode(episode=number, root=tmp_path / "synthetic")) for number in range(6)]
    training = build_questions(synthetic, keyframes_of(synthetic), dataclasses.replace(settings, held_out_tasks=[]))[
        "train"
    ]
    completions = {
        "oracle": oracle(sheet),
        "random": random_choice(sheet, seed=0),
        "text_only": TextOnly().fit(training).complete(sheet),
        "silent": [""] * len(sheet),
    }
    predictions = [line for policy, texts in completions.items() for line in evaluate(policy, sheet, texts)]
    write_predictions(predictions, tmp_path / "predictions")
    table = summarize(read_predictions(tmp_path / "predictions")).set_index(["policy", "split", "type"])
    assert set(table.index.get_level_values("split")) == {"test_out"}
    assert table.loc[("oracle", "test_out", "all"), "accuracy"] == 1
    assert table.loc[("silent", "test_out", "all"), "unparsable"] == 21
    for policy in ("random", "text_only"):
        for kind in ("waypoint", "state", "movement"):
            row = table.loc[(policy, "test_out", kind)]
            assert row["questions"] == 7
            assert row["unparsable"] == row["unformatted"] == 0
            assert 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 1
    assert table.loc[("random", "test_out", "all"), "accuracy"] < 1
