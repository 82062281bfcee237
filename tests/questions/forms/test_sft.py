from dataclasses import replace

from robotr1.questions.answers import parse_state
from robotr1.questions.build import build_questions
from robotr1.questions.forms.scripts import plan_steps
from robotr1.questions.forms.sft import sft_examples
from robotr1.questions.movement import parse_movement


def test_examples_of_both_forms(study, settings):
    questions = build_questions(*study, settings)["train"]
    examples = sft_examples(questions, study[1], settings)
    asked = [question for question in questions if question.type != "movement"]
    assert [example.id for example in examples["direct"]] == [question.id for question in asked]
    for question, direct, chain in zip(asked, examples["direct"], examples["cot"], strict=True):
        truth = question.target if question.type == "waypoint" else question.state
        assert direct.prompt == chain.prompt
        assert "[[" not in direct.prompt
        assert (direct.form, chain.form) == ("direct", "cot")
        assert direct.completion.startswith("[")
        for example in (direct, chain):
            assert parse_state(example.completion) == [round(value, 2) + 0.0 for value in truth]
        if question.type == "state":
            assert chain.completion == direct.completion
            continue
        plan, subtask, move, answer = chain.completion.splitlines()
        assert subtask.removeprefix("Subtask: ") in plan.removeprefix("Plan: 1. ")
        assert parse_movement(move.removeprefix("Move: ")) is not None
        assert answer == f"Answer: {direct.completion}"


def test_the_subtask_follows_the_keyframes(study, settings):
    questions = build_questions(*study, settings)["train"]
    chains = sft_examples(questions, study[1], settings)["cot"]
    subtasks = [
        example.completion.splitlines()[1]
        for example in chains
        if example.id.startswith("pick_up_cup/variation0/episode0/") and example.id.endswith("waypoint")
    ]
    assert list(dict.fromkeys(subtasks)) == [f"Subtask: {step}" for step in plan_steps("pick_up_cup", 3)]


def test_movement_questions_give_no_examples(study, settings):
    questions = build_questions(*study, replace(settings, types=["movement"]))["train"]
    assert sft_examples(questions, study[1], settings) == {"direct": [], "cot": []}
