"""Which questions are asked, and the open form of a question."""

from collections import Counter
from dataclasses import replace

import pytest
from synthetic_study import questions

from robotr1.evaluation.multiple_choice.items import open_form_questions, read_questions
from robotr1.records import RecordError, write_records
from robotr1.settings import load_settings

ASKED = questions(episodes=3)
PROMPTS = load_settings()["build_questions"]


@pytest.mark.parametrize("most", [0, 1, 7, 10_000])
def test_some_questions_are_drawn_evenly(tmp_path, most):
    for split in ("test_in", "test_out"):
        write_records(tmp_path / f"{split}.jsonl", ASKED)
    chosen = read_questions(tmp_path, ["test_in", "test_out"], most)
    count = min(most or len(ASKED), len(ASKED))
    assert len(chosen) == 2 * count
    places = [ASKED.index(one) for one in chosen[:count]]
    gaps = [after - before for before, after in zip(places, places[1:])]
    assert places[0] == 0
    assert all(gap >= 1 and abs(gap - len(ASKED) / count) < 1 for gap in gaps)


@pytest.mark.parametrize(("most", "sets"), [(0, 9), (20, 5), (23, 5), (3, 1), (100, 9)])
def test_paired_options_are_drawn_as_whole_sets(tmp_path, most, sets):
    asked = [replace(one, set=f"set {place // 4}") for place, one in enumerate(ASKED[:36])]
    write_records(tmp_path / "test_in.jsonl", asked)
    chosen = read_questions(tmp_path, ["test_in"], most)
    assert len(chosen) == 4 * sets
    assert set(Counter(one.set for one in chosen).values()) == {4}
    assert chosen == [one for one in asked if one in chosen]


def test_the_open_form_has_no_options_and_no_movements():
    asked = open_form_questions(ASKED, PROMPTS)
    assert {one.type for one in asked} == {"waypoint", "state"}
    assert not any("[[A]]" in one.prompt for one in asked)


def test_only_reinforcement_requests_a_thought_in_the_open_form():
    assert "Think" not in open_form_questions(ASKED, PROMPTS)[0].prompt
    assert "Think" in open_form_questions(ASKED, PROMPTS, think=True)[0].prompt


def test_missing_questions_name_the_file(tmp_path):
    with pytest.raises(RecordError, match=r"validation\.jsonl"):
        read_questions(tmp_path)
