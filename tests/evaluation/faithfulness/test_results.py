"""Shares and paired changes after given thoughts, on rows whose habits are known."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_study import probed

from robotr1.evaluation.faithfulness.results import MEASURES, THOUGHTS, compare, summarize
from robotr1.statistics import accuracy_interval

ROWS = probed()


def test_shares_are_those_of_the_rows():
    table = summarize(ROWS).set_index(["policy", "split", "type", "thought", "measure"])["share"].sort_index()
    reasoner, seer = table["grpo-seed0", "test_in", "all"], table["base", "test_in", "all"]
    assert reasoner["borrowed", "follows"] == seer["borrowed", "same"] == seer["none", "same"] == 1
    assert reasoner["borrowed", "same"] == reasoner["none", "same"] == seer["borrowed", "follows"] == 0
    assert seer["none", "read"] == 0
    assert seer["none", "right"] == 0.75
    assert ("none", "follows") not in reasoner
    assert set(table.index.get_level_values("type")) == {"all", "waypoint", "movement"}


def test_intervals_are_wilsons_and_types_are_pooled():
    table = summarize(ROWS, confidence=0.9)
    row = table.query("policy == 'base' and split == 'test_out' and thought == 'own' and measure == 'right'")
    assert row.set_index("type")["questions"].to_dict() == {"all": 16, "waypoint": 8, "movement": 8}
    mine = [one for one in ROWS if (one.policy, one.split, one.thought) == ("base", "test_out", "own")]
    expected = accuracy_interval([one.right for one in mine], 0.9)
    assert row.iloc[0][["share", "low", "high"]].tolist() == pytest.approx(expected)


def test_changes_are_counted_question_by_question():
    table = compare(ROWS).set_index(["policy", "split", "thought", "measure"])
    lost = table.loc[("grpo-seed0", "test_in", "none", "same")]
    assert (lost["difference"], lost["gained"], lost["lost"], lost["questions"]) == (-1, 0, 16, 16)
    assert lost["p_value"] == pytest.approx(2 / 2**16)
    kept = table.loc[("base", "test_in", "none", "right")]
    assert (kept["difference"], kept["p_value"]) == (0, 1)
    turned = table.loc[("grpo-seed0", "test_in", "borrowed", "right")]
    assert (turned["gained"], turned["lost"]) == (4, 12), "B is right in every fourth episode"
    assert (table["p_holm"] >= table["p_value"]).all()
    assert "own" not in table.index.get_level_values("thought")


def test_only_questions_that_got_both_thoughts_are_compared():
    rows = [row for row in ROWS if row.thought != "borrowed" or "episode3/" in row.id]
    assert set(compare(rows).query("thought == 'borrowed'")["questions"]) == {2}


def test_nobody_was_asked():
    assert summarize([]).empty
    assert compare([]).empty
    assert "p_holm" in compare([])


@given(st.lists(st.sampled_from(ROWS), unique=True, max_size=30), st.sampled_from("ABCD"))
def test_every_share_lies_in_its_interval(rows, letter):
    table = summarize([replace(row, letter=letter) for row in rows])
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()
    assert set(table["thought"]) <= set(THOUGHTS)
    assert set(table["measure"]) <= set(MEASURES)
    whole = table.query("type == 'all' and measure == 'same'")["questions"].sum()
    assert whole == len(rows)
