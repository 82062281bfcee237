"""The planning benchmark: its controls score what they must, and a text without a plan scores 0."""

from dataclasses import replace

import pytest

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.planning import controls as module
from robotr1.evaluation.planning import results, run
from robotr1.evaluation.planning.controls import check_controls, controls
from robotr1.evaluation.planning.items import read_questions
from robotr1.evaluation.planning.scoring import score
from robotr1.questions.forms.planning import planning_prompt
from robotr1.questions.forms.plans import agreement, write_plan
from robotr1.questions.forms.scripts import script
from robotr1.records import PlanningQuestion, write_records
from robotr1.settings import load_settings

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


def test_the_oracle_scores_1_and_the_blind_plan_its_agreement():
    rows = controls(ASKED, TRAINING)
    check_controls(rows)
    table = results.summarize(rows).set_index(["policy", "split"])
    assert (table.loc["oracle"][["order", "low", "exact", "form"]] == 1).all(axis=None)
    whole = [ACTIONS.index(action) for action in script("pick_up_cup")]
    expected = sum(agreement(whole, whole[-left:]) for left in (1, 2, 3)) / 3
    assert table.loc[("blind", "test_in"), "order"] == pytest.approx(expected)
    assert 0.5 <= table.loc[("blind", "test_out"), "order"] < 1, "the usual plan of a held-out task, not nothing"
    assert (table.loc["blind"]["form"] == 1).all()
    assert table.loc[("blind", "test_in"), "questions"] == 15 and table.loc[("blind", "test_in"), "exact"] == 1 / 3


def test_an_oracle_that_fails_stops_the_benchmark(monkeypatch):
    right = module.planning_example

    def cut(asked):
        return right(replace(asked, answer=asked.answer[:1]))

    monkeypatch.setattr(module, "planning_example", cut)
    with pytest.raises(BenchmarkError, match="planning: the oracle fails 14 of 23"):
        check_controls(controls(ASKED, TRAINING))


@pytest.mark.parametrize("said", [None, "", "[[A]]", "<think> so </think> <answer> [[B]] </answer>", "{}"])
def test_a_text_without_a_plan_scores_0(said):
    rows = score("letters", ASKED, [said] * len(ASKED))
    assert [row.completion for row in rows] == [said] * len(ASKED)
    table = results.summarize(rows)
    assert (table[["order", "exact", "form"]] == 0).all(axis=None)


def test_a_plan_in_the_wrong_order_scores_its_form():
    turned = [write_plan("a", "b", one.answer[::-1], one.actions) for one in ASKED]
    rows = score("turned", ASKED, turned)
    assert all(row.form == 1 for row in rows)
    assert [row.order for row in rows] == [1 / len(one.answer) for one in ASKED]


def test_numbers_of_questions_and_plans_must_agree():
    with pytest.raises(ValueError, match="zip"):
        score("short", ASKED, [None])


def test_questions_are_drawn_evenly_from_each_split(tmp_path):
    for split in ("test_in", "test_out"):
        write_records(tmp_path / f"planning_{split}.jsonl", [one for one in ASKED if one.split == split])
    splits = ("test_in", "test_out")
    assert read_questions(tmp_path, splits) == ASKED
    drawn = read_questions(tmp_path, splits, 5)
    assert [one.split for one in drawn] == ["test_in"] * 5 + ["test_out"] * 5
    assert len({one.id.split("/")[2] for one in drawn if one.split == "test_in"}) == 5


def test_no_answers_give_an_empty_table():
    table = results.summarize(controls([], []))
    assert table.empty and list(table.columns) == list(results.SUMMARY)


def test_a_policy_has_room_for_a_whole_plan(monkeypatch):
    seen = {}

    def load_completer(policy, settings, folder):
        seen.update(policy=policy, length=settings.max_completion_length, folder=folder.name)
        return lambda asked: [None, *(["{}"] * (len(asked) - 1))]

    monkeypatch.setattr(run, "load_completer", load_completer)
    rows = run.benchmark("sft-planning", ASKED, replace(load_settings()["run_benchmarks"], max_completion_length=64))
    assert seen == {"policy": "sft-planning", "length": run.LONGEST, "folder": "planning"}
    assert [row.completion for row in rows[:2]] == [None, "{}"]
    assert {row.order for row in rows} == {0.0}
