import dataclasses
import math

import pytest
from small_settings import GRPO

from robotr1 import paths
from robotr1.policies.load import load_policy
from robotr1.policies.processor import load_processor
from robotr1.questions.forms.plans import write_plan
from robotr1.questions.prompts import completion_text
from robotr1.records import OpenQuestion, PlanningQuestion, write_records
from robotr1.settings import SettingsError, check_section
from robotr1.training import sft
from robotr1.training.grpo import inputs
from robotr1.training.grpo import trainer as rl
from robotr1.training.grpo.groups import sample_groups, score_completions
from robotr1.training.rewards import REWARDS, plan_format_reward, plan_order_reward

ACTIONS = ["move above the cup", "grasp the cup"]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(paths, "MODELS", tmp_path / "models")
    monkeypatch.setattr(paths, "QUESTIONS", tmp_path / "questions")


@pytest.fixture
def open_questions(questions):
    return [
        OpenQuestion(q.id, "train", q.type, q.task, q.image, q.state, q.prompt)
        for q in questions
        if q.type != "movement"
    ]


@pytest.fixture
def plans(questions):
    return [
        PlanningQuestion(
            q.id, "train", "planning", q.task, 0, q.image, q.instruction, ACTIONS, [[0, 1], [1]][i % 2], q.prompt
        )
        for i, q in enumerate(questions)
    ]


@pytest.mark.parametrize("types", [["waypoint"], ["waypoint", "state"], ["waypoint", "state", "movement"]])
def test_only_the_chosen_types_are_read(questions, types):
    write_records(paths.QUESTIONS / "train.jsonl", questions)
    read = inputs.read_questions(dataclasses.replace(GRPO, types=types))
    assert read == [question for question in questions if question.type in types]


def test_every_form_is_read_with_the_columns_of_its_rewards(questions, open_questions, plans):
    for form, name, records in (
        ("mcqa", "train", questions),
        ("open", "open_train", open_questions),
        ("planning", "planning_train", plans),
    ):
        write_records(paths.QUESTIONS / f"{name}.jsonl", records)
        read = inputs.read_questions(dataclasses.replace(GRPO, form=form))
        assert read == records
        row = inputs.question_dataset(form, read)[0]
        assert {"prompt", "image", "answer"} < set(row)
        assert row["answer"] == records[0].answer
        columns = {name: [row[name]] for name in inputs.FORMS[form].columns}
        for reward in REWARDS[form]:
            assert reward(["nothing"], **columns) == [0.0]


def test_missing_questions_and_missing_types(questions):
    with pytest.raises(ValueError, match="train.jsonl is missing; run the stage build_questions.$"):
        inputs.read_questions(GRPO)
    with pytest.raises(ValueError, match="open_train.jsonl is missing.*open among build_questions.forms"):
        inputs.read_questions(dataclasses.replace(GRPO, form="open"))
    with pytest.raises(ValueError, match="sft_planning.jsonl is missing.*planning among"):
        sft.read_examples("planning")
    write_records(paths.QUESTIONS / "train.jsonl", [q for q in questions if q.type != "movement"])
    with pytest.raises(ValueError, match="no movement question; see build_questions.types"):
        inputs.read_questions(GRPO)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"types": []}, "at least one"),
        ({"types": ["state", "state"]}, "once"),
        ({"types": ["movement"], "form": "open"}, "no open form"),
        ({"form": "essay"}, "mcqa, open, planning"),
        ({"speedups": ["silent_groups"]}, "speedups: silent_groups is now called skip_zero_std"),
        ({"form": "open", "consistency_weight": 0.5}, "consistency_weight.*no letter"),
    ],
)
def test_settings_that_cannot_work(changes, says):
    with pytest.raises(SettingsError, match=says):
        check_section("train_grpo", dataclasses.asdict(GRPO) | changes)


def test_open_questions_reward_nearness(base, open_questions, tmp_path):
    settings = dataclasses.replace(GRPO, form="open", types=["waypoint", "state"], max_completion_length=24)
    near = "<think> It is there. </think> <answer> [0.1, 0.2, 0.8] </answer>"
    assert score_completions(settings, open_questions[:1], [near])[1] == pytest.approx([0.9])
    log = rl.train(settings, open_questions, base, tmp_path / "models/open")
    assert all({"format", "accuracy", "reward"} <= set(entry) and math.isfinite(entry["loss"]) for entry in log)


def test_planning_rewards_order(base, plans, tmp_path):
    settings = dataclasses.replace(
        GRPO, form="planning", format_weight=0.2, accuracy_weight=0.8, max_completion_length=300, steps=1
    )
    written = write_plan("There.", "Next.", [0, 1], ACTIONS)
    form, order = score_completions(settings, plans[:2], [written, written])
    assert (form, order) == ([1.0, 1.0], [1.0, 0.5])
    trainer = rl.make_trainer(settings, plans, base, "plans")
    assert trainer.reward_funcs == [plan_format_reward, plan_order_reward]
    assert trainer.reward_weights.tolist() == pytest.approx([0.2, 0.8])
    trainer.train()
    assert math.isfinite(trainer.state.log_history[0]["rewards/plan_order_reward/mean"])


def test_a_right_answer_must_fit_and_have_the_form(base, plans, questions):
    processor = load_processor(base)
    settings = dataclasses.replace(GRPO, form="planning", max_completion_length=20)
    with pytest.raises(ValueError, match="max_completion_length: no right answer .* fits in 20 tokens"):
        inputs.check_questions(settings, plans, processor)
    with pytest.raises(ValueError, match="planning trains on PlanningQuestion, got Question"):
        inputs.check_questions(settings, questions, processor)
    inputs.check_questions(GRPO, questions, processor)


def test_consistency_is_rewarded_with_a_weight_above_zero(base, questions, tmp_path):
    places = ["[0, 0, 0]", "[0.1, 0.2, 0.3]", "[1, 1, 1]", "[0.5, -0.5, 1]"]
    moves = ["move up", "move down", "move left", "move right"]
    asked = [dataclasses.replace(q, options=moves if q.type == "movement" else places) for q in questions]
    settings = dataclasses.replace(GRPO, consistency_weight=0.5, steps=1)
    fits, differs = (completion_text("At [1, 1, 1].", letter) for letter in "CA")
    assert score_completions(settings, [asked[0]] * 2, [fits, differs])[2] == [1.0, 0.0]
    assert len(score_completions(GRPO, asked[:1], [fits])) == 2
    (entry,) = rl.train(settings, asked, base, tmp_path / "models/consistent")
    assert entry["consistency"] == 0, "this policy's thoughts name no position"
    assert entry["reward"] == pytest.approx(entry["format"] + entry["accuracy"] + 0.5 * entry["consistency"])
    trainer = rl.make_trainer(settings, asked, base, "weights")
    assert trainer.reward_weights.tolist() == [1.0, 1.0, 0.5]
    model, processor = load_policy(base)
    for member in sample_groups(model, processor, asked[:1], settings)[0]:
        assert member["reward"] == member["format"] + member["accuracy"] + 0.5 * member["consistency"]
    with pytest.raises(ValueError, match="consistency_weight: options of .* neither positions nor movements"):
        inputs.check_questions(settings, questions, processor)
