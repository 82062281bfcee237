"""Predictions on disk, accuracies and paired comparisons."""

import math
from dataclasses import replace

import numpy as np
import pytest
from synthetic_study import predictions, question, questions

from robotr1.evaluation.multiple_choice.items import chance
from robotr1.evaluation.multiple_choice.results import (
    compare,
    episode_of,
    read,
    set_accuracy,
    standard_pairs,
    summarize,
    write,
)
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.questions.prompts import completion_text

ASKED = question(np.random.default_rng(0))


def test_predictions_come_back_from_disk(tmp_path):
    before = predictions(questions(episodes=1))
    write(before, tmp_path)
    key = lambda p: (p.policy, p.split, p.id)  # noqa: E731
    assert sorted(read(tmp_path), key=key) == sorted(before, key=key)
    assert {path.name for path in (tmp_path / "base").iterdir()} == {
        "validation.jsonl",
        "test_in.jsonl",
        "test_out.jsonl",
    }


def test_summary_counts_by_hand():
    asked = [
        question(np.random.default_rng(i), kind, episode=i // 3, frame=i)
        for i, kind in enumerate(["waypoint", "state"] * 3)
    ]
    written = [completion_text("x", one.answer) for one in asked[:4]] + ["<answer> [[A]]", "nothing"]
    table = summarize(evaluate("base", asked, written)).set_index("type")
    assert list(table.index) == ["all", "waypoint", "state"]
    assert table.loc["all", ["questions", "episodes", "unparsable", "unformatted"]].tolist() == [6, 2, 2, 2]
    assert table.loc["all", "accuracy"] == pytest.approx(4 / 6)
    # Wilson's interval for 4 of 6 at 95 %
    assert table.loc["all", ["low", "high"]].tolist() == pytest.approx([0.3000, 0.9032], abs=1e-4)


def test_a_set_is_right_where_all_four_questions_are():
    asked = [question(np.random.default_rng(i), frame=i) for i in range(12)]
    asked = [replace(one, set=f"set {place // 4}") for place, one in enumerate(asked)]
    written = [completion_text("x", one.answer) for one in asked]
    written[5] = "nothing"
    table = set_accuracy(evaluate("base", asked, written), asked).set_index("type")
    assert table.loc["all", "sets"] == table.loc["waypoint", "sets"] == 3
    assert table.loc["all", "accuracy"] == pytest.approx(2 / 3)
    assert table.loc["all", "low"] < 2 / 3 < table.loc["all", "high"]
    incomplete = set_accuracy(evaluate("base", asked[:-1], written[:-1]), asked)
    assert set(incomplete["sets"]) == {2}
    assert set_accuracy(evaluate("base", [ASKED], ["nothing"]), [ASKED]).empty


def test_unparsable_answers_are_wrong_and_shown():
    asked = [question(np.random.default_rng(0), frame=frame) for frame in range(5)]
    table = summarize(evaluate("base", asked, ["rubbish"] * 5))
    assert set(table["accuracy"]) == {0.0}
    assert set(table["unparsable"]) == {5}
    assert (table["high"] > 0).all()


def test_a_question_answered_twice_is_an_error():
    with pytest.raises(ValueError, match="base answered .* twice"):
        summarize(evaluate("base", [ASKED] * 2, ["", ""]))


def test_no_predictions_give_empty_tables():
    assert summarize([]).empty
    assert compare([], [("a", "b")]).empty
    assert "p_holm" in compare([], [])
    assert math.isnan(chance([]))


def test_comparison_pairs_by_question_whatever_the_order():
    asked = questions(episodes=2)
    right = [completion_text("x", one.answer) for one in asked]
    ours = evaluate("ours", asked, right)
    theirs = evaluate("theirs", asked[::-1], right[::-1])
    table = compare([*ours, *theirs], [("ours", "theirs")])
    assert set(table["difference"]) == {0.0}
    assert set(table["p_value"]) == {1.0}


def test_comparison_uses_shared_questions_only():
    asked = questions(episodes=2)
    table = compare(predictions(asked), [("grpo-seed0", "sft-direct-own-form"), ("grpo-seed0", "nobody")])
    row = table[(table["split"] == "test_in") & (table["type"] == "all")].iloc[0]
    assert row["questions"] == sum(one.split == "test_in" and one.type != "movement" for one in asked)
    assert set(table["baseline"]) == {"sft-direct-own-form"}
    assert "movement" not in set(table["type"])


def test_holm_never_lowers_a_p_value():
    table = compare(predictions(questions()), standard_pairs({p.policy for p in predictions(questions())}))
    assert (table["p_holm"] >= table["p_value"]).all()
    assert (table["p_holm"] <= 1).all()
    assert table["p_holm"].min() >= min(1.0, table["p_value"].min() * len(table)) * (1 - 1e-9)


def test_a_learned_policy_beats_its_base_and_its_blind_self():
    table = compare(predictions(questions()), [("grpo-seed0", "base"), ("grpo-seed0", "grpo-seed0-blank")])
    rows = table[(table["split"] == "test_in") & (table["type"] == "all")]
    assert (rows["low"] > 0).all()
    assert (rows["p_value"] < 0.001).all()


def test_standard_pairs_name_only_policies_that_are_there():
    pairs = standard_pairs(["base", "oracle", "rloo-seed1", "sft-cot"])
    assert pairs == [("rloo-seed1", "base"), ("sft-cot", "base"), ("rloo-seed1", "sft-cot")]


def test_episode_is_the_id_without_frame_and_type():
    assert episode_of("lamp_on/variation1/episode3/frame20/state") == "lamp_on/variation1/episode3"
