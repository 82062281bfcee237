import dataclasses
import json
import math

import pytest
import torch
from safetensors.torch import load_file
from small_settings import GRPO, SFT
from transformers import TrainerCallback

from robotr1 import paths
from robotr1.policies.folders import PolicyError
from robotr1.policies.load import load_policy
from robotr1.policies.processor import load_processor
from robotr1.questions.prompts import completion_text
from robotr1.records import OpenQuestion, PlanningQuestion, Question, SftExample, read_records, write_records
from robotr1.settings import SettingsError, check_section
from robotr1.training import sft
from robotr1.training.grpo import inputs as regime
from robotr1.training.grpo import trainer as rl
from robotr1.training.rewards import plan_format_reward, plan_order_reward

ACTIONS = ["move above the cup", "grasp the cup"]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(paths, "MODELS", tmp_path / "models")
    monkeypatch.setattr(paths, "QUESTIONS", tmp_path / "questions")


@pytest.fixture
def opened(questions):
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


@pytest.fixture
def supervised(base, questions, tmp_path):
    """models/sft-cot, taught to write the letter C."""
    written = "<think> It is there. </think> <answer> [[C]] </answer>"
    examples = [SftExample(q.id, "train", "cot", q.task, q.image, q.prompt, written) for q in questions]
    sft.finetune(dataclasses.replace(SFT, steps=10), examples, base, tmp_path / "models/sft-cot")
    return tmp_path / "models/sft-cot"


def weights(folder):
    return load_file(folder / "adapter_model.safetensors")


@pytest.mark.parametrize("types", [["waypoint"], ["waypoint", "state"], ["waypoint", "state", "movement"]])
def test_only_the_chosen_types_are_asked(questions, types):
    write_records(paths.QUESTIONS / "train.jsonl", questions)
    asked = regime.read_asked(dataclasses.replace(GRPO, types=types))
    assert asked == [question for question in questions if question.type in types]


def test_the_real_question_files_have_every_form(monkeypatch):
    folder = paths.ROOT / "data/questions"
    if not (folder / "planning_train.jsonl").is_file():
        pytest.skip("the study's questions are not built here")
    for form, record in (("mcqa", Question), ("open", OpenQuestion), ("planning", PlanningQuestion)):
        asked = regime.read_asked(dataclasses.replace(GRPO, form=form), folder=folder)
        assert len(asked) > 1000
        assert {type(question) for question in asked} == {record}
        row = regime.asked_dataset(form, asked[:2])[0]
        assert row["answer"] == asked[0].answer
    chains = sft.read_examples("cold_start", folder)
    by_id = {q.id: q for s in ("train", "validation") for q in read_records(folder / f"{s}.jsonl", Question)}
    assert {example.id for example in chains} == set(by_id), "every question has a chain"
    for example in chains[::500]:
        assert rl.earned(GRPO, [by_id[example.id]], [example.completion]) == ([1.0], [1.0])


def test_missing_questions_and_missing_types(questions):
    with pytest.raises(ValueError, match="train.jsonl is missing; run the stage build_questions.$"):
        regime.read_asked(GRPO)
    with pytest.raises(ValueError, match="open_train.jsonl is missing.*open among build_questions.forms"):
        regime.read_asked(dataclasses.replace(GRPO, form="open"))
    with pytest.raises(ValueError, match="sft_planning.jsonl is missing.*planning among"):
        sft.read_examples("planning")
    write_records(paths.QUESTIONS / "train.jsonl", [q for q in questions if q.type != "movement"])
    with pytest.raises(ValueError, match="no movement question; see build_questions.types"):
        regime.read_asked(GRPO)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"types": []}, "at least one"),
        ({"types": ["state", "state"]}, "once"),
        ({"types": ["movement"], "form": "open"}, "no open form"),
        ({"form": "essay"}, "mcqa, open, planning"),
        ({"form": "open", "consistency_weight": 0.5}, "consistency_weight.*no letter"),
    ],
)
def test_settings_that_cannot_work(changes, says):
    with pytest.raises(SettingsError, match=says):
        check_section("train_grpo", dataclasses.asdict(GRPO) | changes)


def test_open_questions_pay_nearness(base, opened, tmp_path):
    settings = dataclasses.replace(GRPO, form="open", types=["waypoint", "state"], max_completion_length=24)
    near = "<think> It is there. </think> <answer> [0.1, 0.2, 0.8] </answer>"
    assert rl.earned(settings, opened[:1], [near])[1] == pytest.approx([0.9])
    log = rl.train(settings, opened, base, tmp_path / "models/open")
    assert all({"format", "accuracy", "reward"} <= set(entry) and math.isfinite(entry["loss"]) for entry in log)


def test_planning_pays_order(base, plans, tmp_path):
    settings = dataclasses.replace(
        GRPO, form="planning", format_weight=0.2, accuracy_weight=0.8, max_completion_length=300, steps=1
    )
    written = regime.write_plan("There.", "Next.", [0, 1], ACTIONS)
    form, order = rl.earned(settings, plans[:2], [written, written])
    assert (form, order) == ([1.0, 1.0], [1.0, 0.5])
    trainer = rl.make_trainer(settings, plans, base, "plans")
    assert trainer.reward_funcs == [plan_format_reward, plan_order_reward]
    assert trainer.reward_weights.tolist() == pytest.approx([0.2, 0.8])
    trainer.train()
    assert math.isfinite(trainer.state.log_history[0]["rewards/plan_order_reward/mean"])


def test_an_answer_must_have_room_and_the_right_form(base, plans, questions):
    processor = load_processor(base)
    settings = dataclasses.replace(GRPO, form="planning", max_completion_length=20)
    with pytest.raises(ValueError, match="max_completion_length: 20 tokens hold no right answer"):
        regime.check_questions(settings, plans, processor)
    with pytest.raises(ValueError, match="planning trains on PlanningQuestion, got Question"):
        regime.check_questions(settings, questions, processor)
    regime.check_questions(GRPO, questions, processor)


def test_thoughts_that_fit_the_letter_are_paid_where_asked_for(base, questions, tmp_path):
    places = ["[0, 0, 0]", "[0.1, 0.2, 0.3]", "[1, 1, 1]", "[0.5, -0.5, 1]"]
    moves = ["move up", "move down", "move left", "move right"]
    asked = [dataclasses.replace(q, options=moves if q.type == "movement" else places) for q in questions]
    settings = dataclasses.replace(GRPO, consistency_weight=0.5, steps=1)
    fits, differs = (completion_text("At [1, 1, 1].", letter) for letter in "CA")
    assert rl.earned(settings, [asked[0]] * 2, [fits, differs])[2] == [1.0, 0.0]
    assert len(rl.earned(GRPO, asked[:1], [fits])) == 2
    (entry,) = rl.train(settings, asked, base, tmp_path / "models/consistent")
    assert entry["consistency"] == 0, "this policy's thoughts name no place"
    assert entry["reward"] == pytest.approx(entry["format"] + entry["accuracy"] + 0.5 * entry["consistency"])
    trainer = rl.make_trainer(settings, asked, base, "weights")
    assert trainer.reward_weights.tolist() == [1.0, 1.0, 0.5]
    model, processor = load_policy(base)
    for member in rl.sample_groups(model, processor, asked[:1], settings)[0]:
        assert member["reward"] == member["format"] + member["accuracy"] + 0.5 * member["consistency"]
    with pytest.raises(ValueError, match="consistency_weight: options of .* fit no thought"):
        regime.check_questions(settings, questions, processor)


def test_cold_start_goes_on_from_the_supervised_adapter(base, questions, supervised, tmp_path):
    settings = dataclasses.replace(GRPO, start="sft-cot", steps=1, learning_rate=0.0, beta=0.0)
    rl.train(settings, questions, base, tmp_path / "models/cold")
    before, after = weights(supervised), weights(tmp_path / "models/cold")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before), "without learning it is the start itself"
    model, processor = load_policy(tmp_path / "models/cold")
    groups = rl.sample_groups(model, processor, questions[:4], settings)
    assert sum("[[C]]" in member["completion"] for group in groups for member in group) >= 14
    rl.train(dataclasses.replace(settings, learning_rate=1e-2, steps=3), questions, base, tmp_path / "models/warm")
    moved = weights(tmp_path / "models/warm")
    assert any(not torch.equal(before[name], moved[name]) for name in before)


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_the_kl_counts_from_the_start_and_resuming_is_exact(
    base, questions, supervised, tmp_path, monkeypatch, algorithm
):
    settings = dataclasses.replace(GRPO, algorithm=algorithm, start="sft-cot", beta=0.05)
    whole = rl.train(settings, questions, base, tmp_path / "models/whole")
    assert whole[0].get("kl", 0.0) == pytest.approx(0, abs=1e-4), "the reference is the start, not the base"
    assert sorted(path.name for path in (tmp_path / "models/whole").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "base.json", "log.jsonl", "settings.json",
    ]  # fmt: skip

    class Interrupt(TrainerCallback):
        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == 3:
                raise KeyboardInterrupt

    make = rl.make_trainer

    def interrupted(*arguments):
        trainer = make(*arguments)
        trainer.add_callback(Interrupt())
        return trainer

    monkeypatch.setattr(rl, "make_trainer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rl.train(settings, questions, base, tmp_path / "models/cut")
    monkeypatch.setattr(rl, "make_trainer", make)
    assert rl.train(settings, questions, base, tmp_path / "models/cut") == whole
    one, two = weights(tmp_path / "models/whole"), weights(tmp_path / "models/cut")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_starts_that_cannot_work(base, grouped_heads, supervised):
    def start(of=base, **changes):
        regime.load_start(dataclasses.replace(GRPO, **{"start": "sft-cot", **changes}), of)

    with pytest.raises(PolicyError, match="models/sft-direct is missing; train it first.*finetune_sft@direct"):
        start(start="sft-direct")
    with pytest.raises(PolicyError, match="lora_rank: 8, but sft-cot has 4"):
        start(lora_rank=8)
    with pytest.raises(PolicyError, match="was trained on .*, not on"):
        start(of=grouped_heads)
    (paths.MODELS / "whole").mkdir()
    with pytest.raises(PolicyError, match="is no adapter"):
        start(start="whole")
    config = supervised / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": str(grouped_heads)}))
    with pytest.raises(PolicyError, match="was trained on another base"):
        start(of=grouped_heads)


def test_another_start_is_another_run(base, questions, supervised):
    plain = rl.runs.fingerprint(GRPO, questions, base)
    cold = rl.runs.fingerprint(GRPO, questions, base, supervised)
    (supervised / "log.jsonl").write_text("")
    assert len({plain, cold, rl.runs.fingerprint(GRPO, questions, base, supervised)}) == 3
