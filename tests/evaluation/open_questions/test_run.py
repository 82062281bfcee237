"""Another set of the reasoning benchmark: from another seed, as large as was asked for, and fit to be an exam."""

from collections import Counter

import pytest

from robotr1 import paths
from robotr1.evaluation.open_questions import run as reasoning_exam
from robotr1.evaluation.open_questions.make_items import HELD_OUT, MORE_SPATIAL, TRAINED, Frame, build, size
from robotr1.evaluation.open_questions.results import read
from robotr1.evaluation.open_questions.scoring import ITEMS, read_items
from robotr1.evaluation.spatialrgpt.scoring import read_spatial
from robotr1.records import read_records


@pytest.mark.parametrize(("questions", "frames", "total"), [(215, 5, 215), (2000, 47, 2020), (1, 1, 42)])
def test_a_set_is_about_as_large_as_was_asked_for(questions, frames, total):
    count, more = size(questions)
    assert count == frames
    assert 10 * count * 4 + sum(more.values()) == total
    assert questions != 215 or more == MORE_SPATIAL


@pytest.fixture(scope="module")
def second(simulator, tmp_path_factory):
    """The smallest set of another seed, from the simulator."""
    folder = tmp_path_factory.mktemp("second")
    frames, more = size(43)
    build(frames, 1, folder, more)
    return folder


def test_a_second_set_has_every_ability_of_every_task_on_pictures_of_its_own(second):
    items = read_items(second / "reasoning.jsonl")
    assert {item.task for item in items} == {*TRAINED, *HELD_OUT}
    assert Counter(item.ability for item in items) == {"planning": 10, "high_level": 10, "movement": 10, "spatial": 12}
    drawn = read_records(second / "frames.jsonl", Frame)
    assert all((paths.ROOT / item.image).is_file() for item in items)
    assert not {frame.sha256 for frame in drawn} & {one.sha256 for one in read_records(ITEMS / "frames.jsonl", Frame)}
    assert {item.image for item in read_spatial(second / "spatialrgpt.json")} <= {frame.image for frame in drawn}


def test_it_is_put_to_controls_and_policies_and_answers_are_kept(second, monkeypatch):
    asked = []

    def load_completer(policy, settings, folder):
        asked.append((policy, folder))
        return lambda items: [
            f"<answer> {item.reference} </answer>" if item.distribution == "in" else None for item in items
        ]

    monkeypatch.setattr(reasoning_exam, "load_completer", load_completer)
    table = (
        reasoning_exam.examine(second, ["half"]).set_index(["policy", "distribution", "ability"]).sort_index()["score"]
    )
    assert asked == [("half", second / "asked")]
    assert (table["oracle"] == 3).all() and table["random", "all"].max() < 2.5
    assert (table["half", "in"] == 3).all() and (table["half", "out"] == 0).all()
    rows = read(second / "answers")
    assert Counter(row.policy for row in rows) == dict.fromkeys(
        ("oracle", "random", "majority", "text_only", "half"), 42
    )
