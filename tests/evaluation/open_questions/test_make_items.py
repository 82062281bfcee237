"""References follow the simulator's state; a set has the requested size and can be made again."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from robotr1 import paths
from robotr1.evaluation import items as committed
from robotr1.evaluation.items.frames import HELD_OUT, TRAINED, Frame, Moment, draw_frames
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.judging.rubric import Case
from robotr1.evaluation.open_questions.items import read_items
from robotr1.evaluation.open_questions.make_items import (
    MORE_SPATIAL,
    build,
    describe_relation,
    other_questions,
    size,
    spatial_questions,
)
from robotr1.evaluation.spatialrgpt import items as spatialrgpt
from robotr1.records import read_records

CUP = np.array([0.2, 0.1, 0.8])
MOMENT = Moment(
    CUP + [0.1, -0.2, 0.3], CUP + [0, 0, 0.1], {"cup": CUP}, None, ("move above the cup", "grasp the cup"), 0
)


def test_relations_in_the_words_of_the_front_view():
    assert describe_relation("gripper", CUP + [0.1, -0.2, 0.3], "cup", CUP) == (
        "The gripper is above, to the left of and in front of the cup."
    )
    assert describe_relation("gripper", CUP + [-0.1, 0, 0], "cup", CUP) == "The gripper is behind the cup."
    assert describe_relation("gripper", CUP + 0.01, "cup", CUP) == "The gripper is at the cup."


def test_questions_follow_the_state():
    spatial = dict(spatial_questions(MOMENT))
    assert spatial["Is the gripper holding the cup? Answer yes or no."] == "No."
    assert "About 37 cm." in spatial.values()
    held = dict(spatial_questions(replace(MOMENT, holds="cup", tip=CUP)))
    assert held["Is the gripper holding the cup? Answer yes or no."] == "Yes."
    assert "The gripper holds the cup." in held.values()
    assert not any("How far" in question for question in held)
    others = other_questions(replace(MOMENT, step=1), "pick up the cup")
    assert others["planning"][1] == "1. grasp the cup"
    assert others["high_level"][1] == "grasp the cup"
    assert others["movement"][1] == "slightly move backward, move right, and move down"


def test_every_reference_scores_3_against_itself_in_any_state():
    rng, judge = np.random.default_rng(1), ReferenceJudge()
    for _ in range(50):
        objects = {"rubbish": rng.uniform(0, 0.4, 3), "bin": rng.uniform(0, 0.4, 3)}
        moment = replace(MOMENT, tip=rng.uniform(0, 0.4, 3), objects=objects)
        for question, reference in spatial_questions(moment):
            assert judge.judge([Case("spatial", question, reference, reference)])[0].score == 3, reference


@pytest.mark.parametrize(("questions", "frames", "total"), [(215, 5, 215), (2000, 47, 2020), (1, 1, 42)])
def test_a_set_has_about_the_requested_size(questions, frames, total):
    count, more = size(questions)
    assert count == frames
    assert 10 * count * 4 + sum(more.values()) == total
    assert questions != 215 or more == MORE_SPATIAL


def test_the_simulator_gives_the_committed_items_again(simulator, tmp_path):
    recorded = {frame.id: frame for frame in read_records(committed.FOLDER / committed.FRAMES, Frame)}
    references = {item.reference for item in read_items() if item.task == "lamp_on"}
    images = paths.relative(committed.FOLDER / committed.IMAGES)
    for frame, moment, instruction, _ in draw_frames("lamp_on", 2, 0, tmp_path, images):
        assert replace(frame, sha256="") == replace(recorded[frame.id], sha256="")
        assert {reference for _, reference in other_questions(moment, instruction).values()} <= references
        assert (tmp_path / f"{frame.id.replace('/', '-')}.png").is_file()


def test_a_second_set_has_every_ability_of_every_task_on_new_images(second_set):
    items = read_items(second_set / committed.OPEN_QUESTIONS)
    assert {item.task for item in items} == {*TRAINED, *HELD_OUT}
    assert Counter(item.ability for item in items) == {"planning": 10, "high_level": 10, "movement": 10, "spatial": 12}
    drawn = read_records(second_set / committed.FRAMES, Frame)
    first = read_records(committed.FOLDER / committed.FRAMES, Frame)
    assert all((paths.ROOT / item.image).is_file() for item in items)
    assert not {frame.sha256 for frame in drawn} & {frame.sha256 for frame in first}
    regions = spatialrgpt.read_items(second_set / committed.SPATIALRGPT)
    assert {item.image for item in regions} <= {frame.image for frame in drawn}
    assert {item.column for item in regions} == set(spatialrgpt.COLUMNS)


@pytest.fixture(scope="module")
def second_set(simulator, tmp_path_factory):
    """The smallest set of another seed, from the simulator."""
    folder = tmp_path_factory.mktemp("second")
    frames, more = size(43)
    build(frames, 1, folder, more)
    return folder
