"""The open benchmark: what is committed, its brackets, its counting, and where the references come from."""

import hashlib
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from robotr1 import paths
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.judging.rubric import ABILITIES, Judgement
from robotr1.evaluation.open_questions import make_items as reasoning_items
from robotr1.evaluation.open_questions import scoring as reasoning
from robotr1.evaluation.open_questions.make_items import Frame, Moment, other_questions, spatial_questions, where
from robotr1.evaluation.open_questions.scoring import (
    BracketError,
    check_brackets,
    control_answers,
    guess_level,
    read_authors_items,
    read_items,
    score,
    scores_of,
    summarize,
)
from robotr1.records import RecordError, read_records, write_records
from robotr1.statistics import mean_interval

ITEMS = read_items()
JUDGE = ReferenceJudge()


def test_the_committed_set_is_the_papers_in_number():
    assert Counter(item.ability for item in ITEMS) == {"spatial": 65, "planning": 50, "high_level": 50, "movement": 50}
    spatial = [item.distribution for item in ITEMS if item.ability == "spatial"]
    assert Counter(spatial) == {"in": 37, "out": 28}
    frames = {item.frame: item.task for item in ITEMS}
    assert set(Counter(frames.values()).values()) == {5}
    assert len(frames) == 50
    trained = {item.task for item in ITEMS if item.distribution == "in"}
    assert trained == set(reasoning_items.TRAINED)


def test_every_image_is_there_and_is_the_one_that_was_drawn():
    frames = {frame.id: frame for frame in read_records(reasoning.ITEMS / "frames.jsonl", Frame)}
    assert {item.frame for item in ITEMS} == set(frames)
    for item in ITEMS:
        assert item.image == frames[item.frame].image
    for frame in frames.values():
        pixels = np.array(Image.open(paths.ROOT / frame.image))
        assert pixels.shape == (224, 224, 3)
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == frame.sha256


def test_no_reference_is_given_away_by_its_prompt():
    for item in ITEMS:
        assert item.question in item.prompt
        if len(item.reference.split()) > 3:
            assert item.reference not in item.prompt


def test_oracle_at_the_ceiling_and_guesses_low():
    table = check_brackets(ITEMS, JUDGE).set_index(["policy", "distribution", "ability"])["score"]
    assert (table["oracle"] == 3).all()
    levels = guess_level(ITEMS, JUDGE)
    for ability, known in {"planning": 0.2, "high_level": 0.15, "movement": 0.85, "spatial": 0.35}.items():
        assert levels[ability][0] == pytest.approx(known, abs=0.15)
        assert table["majority", "all", ability] < 2


class Generous:
    name = "generous"

    def judge(self, cases):
        return [Judgement(3, "scored", "fine") for _ in cases]


def test_a_judge_that_gives_everybody_everything_is_found_out():
    with pytest.raises(BracketError, match="too alike"):
        check_brackets(ITEMS, Generous())


def test_a_judge_that_the_oracle_does_not_satisfy_is_found_out():
    class Strict(Generous):
        def judge(self, cases):
            return [Judgement(2, "scored", "hm") for _ in cases]

    with pytest.raises(BracketError, match="gets 2 against itself"):
        check_brackets(ITEMS, Strict())


def test_silence_and_failures_are_counted_and_kept_out_of_each_other():
    class Moody(Generous):
        def judge(self, cases):
            verdicts = JUDGE.judge(cases)
            return [Judgement(None, "judge_failed", "HTTP 500"), *verdicts[1:]]

    items = [item for item in ITEMS if item.ability == "movement"][:4]
    completions = [f"<answer>{item.reference}</answer>" for item in items[:2]] + ["no tags", None]
    rows = score("p", items, completions, Moody())
    total = summarize(rows).set_index("distribution").loc["all"]
    assert (total["items"], total["no_answer"], total["judge_failed"]) == (4, 2, 1)
    assert total["score"] == pytest.approx(1.0)  # (3 + 0 + 0) / 3: the failed one is not in the mean
    assert set(scores_of(rows)) == {("p", item.id) for item in items[1:]}
    with pytest.raises(ValueError, match="4 items but 1 completions"):
        score("p", items, ["x"], JUDGE)


def test_a_policy_that_never_answers_gets_zero_and_is_seen():
    table = summarize(score("mute", ITEMS, [""] * len(ITEMS), JUDGE))
    assert (table["score"] == 0).all()
    assert (table["no_answer"] == table["items"]).all()


def test_intervals_by_frame_are_those_of_clusters():
    rows = score("random", ITEMS, control_answers(ITEMS)["random"], JUDGE)
    line = summarize(rows).query("ability == 'spatial' and distribution == 'all'").iloc[0]
    spatial = [row for row in rows if row.ability == "spatial"]
    values, frames = [row.judgement.score for row in spatial], [row.frame for row in spatial]
    assert (line["score"], line["frame_low"], line["frame_high"]) == mean_interval(values, clusters=frames)
    assert line["low"] < line["score"] < line["high"]


def test_controls_do_not_depend_on_the_order():
    forward, backward = control_answers(ITEMS), control_answers(ITEMS[::-1])
    assert forward["oracle"] == backward["oracle"][::-1]
    assert forward["random"] != forward["oracle"]


def test_a_corrected_reference_counts(tmp_path):
    corrected = [replace(ITEMS[0], reference="Yes."), *ITEMS[1:3]]
    write_records(tmp_path / "items.jsonl", corrected)
    assert read_items(tmp_path / "items.jsonl") == corrected
    write_records(tmp_path / "items.jsonl", [ITEMS[0], ITEMS[0]])
    with pytest.raises(RecordError, match="is there twice"):
        read_items(tmp_path / "items.jsonl")


def test_the_authors_form_as_assumed(tmp_path):
    row = {
        "task": "turn_on_lamp",
        "image": "3.png",
        "category": "High-level action",
        "question": "What is next?",
        "ground_truth": "press the button",
    }
    file = tmp_path / "bench.json"
    file.write_text(
        json.dumps([row, row | {"category": "spatial", "ground_truth": "The gripper is above the button."}])
    )
    items = read_authors_items(file, tmp_path)
    assert [item.ability for item in items] == ["high_level", "spatial"]
    assert items[0].distribution == "out"
    assert score("p", items, ["<answer>press it</answer>", "<answer>above</answer>"], JUDGE)[1].judgement.score == 3
    for broken in ("{}", "[1]", "[", json.dumps([row | {"category": "poetry"}])):
        file.write_text(broken if broken != "{}" else '{"a": 1}')
        with pytest.raises(RecordError, match="not the form"):
            read_authors_items(file, tmp_path)


# --- where references come from -------------------------------------------------------------------------------------

CUP = np.array([0.2, 0.1, 0.8])
MOMENT = Moment(
    CUP + [0.1, -0.2, 0.3], CUP + [0, 0, 0.1], {"cup": CUP}, None, ("move above the cup", "grasp the cup"), 0
)


def test_relations_in_the_words_of_the_front_view():
    assert where("gripper", CUP + [0.1, -0.2, 0.3], "cup", CUP) == (
        "The gripper is above, to the left of and in front of the cup."
    )
    assert where("gripper", CUP + [-0.1, 0, 0], "cup", CUP) == "The gripper is behind the cup."
    assert where("gripper", CUP + 0.01, "cup", CUP) == "The gripper is at the cup."


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


def test_every_reference_is_full_marks_against_itself_for_any_state():
    rng = np.random.default_rng(1)
    for _ in range(50):
        things = {"rubbish": rng.uniform(0, 0.4, 3), "bin": rng.uniform(0, 0.4, 3)}
        moment = replace(MOMENT, tip=rng.uniform(0, 0.4, 3), things=things)
        for question, reference in spatial_questions(moment):
            case = reasoning.Case("spatial", question, reference, reference)
            assert JUDGE.judge([case])[0].score == 3, reference


def test_the_simulator_gives_the_committed_items_again(simulator, tmp_path):
    committed = {frame.id: frame for frame in read_records(reasoning.ITEMS / "frames.jsonl", Frame)}
    references = {item.reference for item in ITEMS if item.task == "lamp_on"}
    images = paths.relative(reasoning.ITEMS / "images")
    for frame, moment, instruction, _ in reasoning_items.task_frames("lamp_on", 2, 0, tmp_path, images):
        assert replace(frame, sha256="") == replace(committed[frame.id], sha256="")
        assert {reference for _, reference in other_questions(moment, instruction).values()} <= references
        assert (tmp_path / f"{frame.id.replace('/', '-')}.png").is_file()


def test_paired_scores_by_ability_with_holm_over_all_rows():
    rows = [row for row in reasoning.controls(ITEMS, JUDGE) if row.policy in ("oracle", "random")]
    table = reasoning.compare(rows, [("oracle", "random"), ("oracle", "absent")]).set_index("ability")
    assert set(table.index) == set(ABILITIES)
    assert (table["frames"] == 50).all()
    means = summarize(rows).query("distribution == 'all'").set_index(["policy", "ability"])["score"]
    for ability, row in table.iterrows():
        assert row["difference"] == pytest.approx(means["oracle", ability] - means["random", ability])
        assert 0 < row["low"] <= row["difference"] <= row["high"] <= 3
        assert row["p_value"] <= row["p_holm"] < 0.01
    same = reasoning.compare(rows, [("oracle", "oracle")])
    assert (same["difference"] == 0).all() and (same["p_holm"] == 1).all()


def test_no_items_and_no_policy_are_empty_tables():
    assert check_brackets([], JUDGE).empty
    assert reasoning.compare([], [("a", "b")]).empty
