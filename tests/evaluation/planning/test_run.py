"""Planning questions as an exam: the brackets stand where they are known to, and what is no plan earns nothing."""

from dataclasses import replace

import pytest

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.planning import results
from robotr1.evaluation.planning import run as planning_exam
from robotr1.questions.forms.planning import planning_prompt
from robotr1.questions.forms.plans import agreement, write_plan
from robotr1.questions.forms.scripts import script
from robotr1.records import PlanningQuestion, write_records

ACTIONS = [*script("pick_up_cup"), *script("lamp_on")]


def question(task, split, episode, left):
    """A frame at which the last `left` actions of the task's script remain."""
    answer = [ACTIONS.index(action) for action in script(task)[-left:]]
    return PlanningQuestion(
        id=f"{task}/variation0/episode{episode}/frame{10 * left}/planning",
        split=split,
        type="planning",
        task=task,
        variation=0,
        image="nowhere.png",
        instruction="do it",
        actions=ACTIONS,
        answer=answer,
        prompt=planning_prompt("do it", ACTIONS, form="compact"),
    )


TRAINING = [question("pick_up_cup", "train", episode, left) for episode in range(3) for left in (1, 2, 3, 3)]
ASKED = [question("pick_up_cup", "test_in", episode, left) for episode in range(5) for left in (1, 2, 3)]
ASKED += [question("lamp_on", "test_out", episode, left) for episode in range(4) for left in (1, 2)]


def test_the_oracle_earns_everything_and_the_blind_what_the_usual_plan_is_worth():
    rows = planning_exam.controls(ASKED, TRAINING)
    planning_exam.check_controls(rows)
    table = results.summarize(rows).set_index(["policy", "split"])
    assert (table.loc["oracle"][["order", "low", "exact", "form"]] == 1).all(axis=None)
    whole = [ACTIONS.index(action) for action in script("pick_up_cup")]
    expected = sum(agreement(whole, whole[-left:]) for left in (1, 2, 3)) / 3
    assert table.loc[("blind", "test_in"), "order"] == pytest.approx(expected)
    assert 0.5 <= table.loc[("blind", "test_out"), "order"] < 1, "the usual plan of a held-out task, not nothing"
    assert (table.loc["blind"]["form"] == 1).all()
    assert table.loc[("blind", "test_in"), "questions"] == 15 and table.loc[("blind", "test_in"), "exact"] == 1 / 3


def test_an_oracle_that_is_wrong_stops_the_exam(monkeypatch):
    right = planning_exam.planning_example

    def cut(asked):
        return right(replace(asked, answer=asked.answer[:1]))

    monkeypatch.setattr(planning_exam, "planning_example", cut)
    with pytest.raises(BenchmarkError, match="the oracle is wrong on 14"):
        planning_exam.check_controls(planning_exam.controls(ASKED, TRAINING))


@pytest.mark.parametrize("said", [None, "", "[[A]]", "<think> so </think> <answer> [[B]] </answer>", "{}"])
def test_what_is_no_plan_earns_nothing(said):
    rows = planning_exam.score("letters", ASKED, [said] * len(ASKED))
    assert [row.completion for row in rows] == [said] * len(ASKED)
    table = results.summarize(rows)
    assert (table[["order", "exact", "form"]] == 0).all(axis=None)


def test_a_plan_in_the_wrong_order_earns_its_form():
    turned = [write_plan("a", "b", one.answer[::-1], one.actions) for one in ASKED]
    rows = planning_exam.score("turned", ASKED, turned)
    assert all(row.form == 1 for row in rows)
    assert [row.order for row in rows] == [1 / len(one.answer) for one in ASKED]


def test_numbers_of_questions_and_plans_must_agree():
    with pytest.raises(ValueError, match="zip"):
        planning_exam.score("short", ASKED, [None])


def test_questions_are_drawn_evenly_from_each_split(tmp_path):
    for split in ("test_in", "test_out"):
        write_records(tmp_path / f"planning_{split}.jsonl", [one for one in ASKED if one.split == split])
    splits = ("test_in", "test_out")
    assert planning_exam.read_set(splits=splits, folder=tmp_path) == ASKED
    drawn = planning_exam.read_set(5, splits, tmp_path)
    assert [one.split for one in drawn] == ["test_in"] * 5 + ["test_out"] * 5
    assert len({one.id.split("/")[2] for one in drawn if one.split == "test_in"}) == 5


def test_nobody_planned():
    table = results.summarize(planning_exam.controls([], []))
    assert table.empty and list(table.columns) == list(results.SUMMARY)
