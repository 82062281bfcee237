"""Question sets about extended states: position, rotation and gripper."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from robotr1.evaluation.multiple_choice.scoring import evaluate_open_form
from robotr1.questions.answers import parse_position, parse_state
from robotr1.questions.audit.blind import audit
from robotr1.questions.build import build_questions
from robotr1.questions.checks import BuildError
from robotr1.questions.distractors.positions import smallest_gap
from robotr1.questions.distractors.strategies import STRATEGIES
from robotr1.questions.forms.open import open_questions
from robotr1.questions.forms.sft import sft_examples
from robotr1.questions.movement import describe_movement, parse_movement, split_hand
from robotr1.questions.prompts import LETTERS

NAMES = "[x, y, z, roll, pitch, yaw, gripper]"


@pytest.fixture(scope="module")
def turning(study):
    """The synthetic study with a hand that turns on its way, each episode by another angle."""
    episodes = []
    for episode in study[0]:
        share = np.linspace(0, 1, len(episode))
        yaw, tilt = share * (0.3 * episode.episode - 1.9), 0.1 * (1 - share)
        down = Rotation.from_quat([0, 1, 0, 0])
        turned = Rotation.from_euler("z", yaw[:, None]) * Rotation.from_euler("x", tilt[:, None]) * down
        quaternions = turned.as_quat()
        episodes.append(replace(episode, gripper_pose=np.hstack([episode.gripper_pose[:, :3], quaternions])))
    return episodes, study[1]


@pytest.fixture(scope="module")
def extended(settings):
    return replace(settings, state="extended")


@pytest.fixture(scope="module")
def built(turning, extended):
    return build_questions(*turning, extended)


def test_truths_are_the_recorded_poses(built, turning):
    episodes = {(episode.task, episode.episode): episode for episode in turning[0]}
    for question in (question for questions in built.values() for question in questions):
        episode = episodes[question.task, question.episode]
        for state, frame in ((question.state, question.frame), (question.target, question.keyframe)):
            roll, pitch, yaw = state[3:6]
            rotation = Rotation.from_euler("z", yaw) * Rotation.from_euler("y", pitch) * Rotation.from_euler("x", roll)
            recorded = Rotation.from_quat(episode.gripper_pose[frame, 3:])
            assert state[:3] == pytest.approx(episode.gripper_pose[frame, :3], abs=1e-4)
            assert (rotation.inv() * recorded).magnitude() < 5e-4
            assert state[6] == episode.gripper_open[frame]


def test_options_are_seven_numbers_in_one_format_and_keep_the_gap(built, extended):
    for question in (question for questions in built.values() for question in questions):
        if question.type == "movement":
            continue
        truth = question.target if question.type == "waypoint" else question.state
        states = [parse_state(option, 7) for option in question.options]
        assert states[LETTERS.index(question.answer)] == pytest.approx(truth, abs=0.005 + 1e-9)
        assert smallest_gap([state[:3] for state in states]) >= extended.minimum_gap - 1e-9
        assert all(state[6] in (0.0, 1.0) for state in states)
        assert all(len(number.partition(".")[2]) <= 2 for option in question.options for number in option.split(", "))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_hands_of_distractors_are_answers_elsewhere(turning, extended, strategy):
    """Rotation and gripper of every option are the answer to some question, for all strategies of positions."""
    chosen = replace(extended, distractors=strategy, types=["waypoint", "state"], minimum_gap=0.05, near_distance=0.4)
    questions = [question for part in build_questions(*turning, chosen).values() for question in part]
    hands = {tuple(np.round(parse_state(o, 7)[3:], 2)) for q in questions for o in [q.options[LETTERS.index(q.answer)]]}
    path = {tuple(np.round(parse_state(o, 7)[3:], 2)) for q in questions for o in q.options}
    if strategy == "same_episode":
        assert path > hands  # sampled from the whole trajectory
    else:
        assert path == hands


def test_movements_say_what_the_hand_does(built, turning):
    said = set()
    for question in (q for questions in built.values() for q in questions if q.type == "movement"):
        label, hand = split_hand(question.options[LETTERS.index(question.answer)])
        assert label == describe_movement(np.subtract(question.target[:3], question.state[:3]))
        turned = (question.target[5] - question.state[5] + np.pi) % (2 * np.pi) - np.pi
        assert ("turn counterclockwise" in hand) == (turned > 0.1) or abs(abs(turned) - 0.1) < 0.01
        assert ("turn clockwise" in hand) == (turned < -0.1) or abs(abs(turned) - 0.1) < 0.01
        assert ("close the gripper" in hand) == (question.target[6] < question.state[6])
        assert ("open the gripper" in hand) == (question.target[6] > question.state[6])
        assert len({parse_movement(option) for option in question.options}) == 4
        said.add(hand)
    assert {"", "turn clockwise", "turn clockwise and close the gripper"} <= said


@pytest.mark.parametrize("form", ["compact", "full"])
@pytest.mark.parametrize("order", ["shuffled", "canonical"])
def test_every_form_of_the_set(turning, extended, form, order):
    chosen = replace(extended, prompt=form, option_order=order, show_state=True)
    splits = build_questions(*turning, chosen)
    train = splits["train"]
    asked = [question for question in train if question.type != "movement"]
    opened = open_questions(splits, chosen)["train"]
    direct = sft_examples(train, turning[1], chosen)["direct"]
    for question, open_question, example in zip(asked, opened, direct, strict=True):
        truth = question.target if question.type == "waypoint" else question.state
        assert open_question.answer == truth
        assert parse_state(example.completion, 7) == pytest.approx(truth, abs=0.006)
        assert NAMES in open_question.prompt and NAMES in example.prompt
        assert (NAMES in question.prompt) == (form == "full")
    assert audit(splits)


def test_open_answers_are_scored_by_their_positions(built):
    questions = [question for question in built["test_in"] if question.type == "state"]
    answers = [question.options[LETTERS.index(question.answer)] for question in questions]
    assert all(prediction.correct for prediction in evaluate_open_form("sft-direct", questions, answers))
    short = [str(parse_position(answer)) for answer in answers]
    assert not any(prediction.formatted for prediction in evaluate_open_form("sft-direct", questions, short))


def test_two_builds_are_the_same(turning, extended, built):
    assert build_questions(turning[0][::-1], turning[1], extended) == built


def test_a_pose_without_rotation_is_named(turning, extended):
    first, *rest = turning[0]
    pose = first.gripper_pose.copy()
    pose[7, 3:] = 0
    with pytest.raises(BuildError, match=r"pick_up_cup/variation0/episodes/episode0: .*state: position"):
        build_questions([replace(first, gripper_pose=pose), *rest], turning[1], extended)
