import json
from collections import Counter
from dataclasses import replace

import pytest

from robotr1.keyframes import next_keyframe
from robotr1.questions.build import build_questions
from robotr1.questions.forms.planning import (
    blind_plans,
    one_per_frame,
    planning_example,
    planning_prompt,
    planning_questions,
    unplanned,
)
from robotr1.questions.forms.plans import agreement, plan_format, plan_order
from robotr1.records import PlanningQuestion, read_records, write_records

CUP = ("move above the cup", "grasp the cup", "lift the cup")


@pytest.fixture(scope="module")
def built(study, settings):
    return build_questions(*study, settings)


@pytest.fixture(scope="module")
def planning(built, study, settings):
    return planning_questions(built, study[1], settings)


def test_the_answer_is_the_remaining_script(planning, study):
    found = {(line.task, line.episode): line for line in study[1]}
    asked = [question for questions in planning.values() for question in questions]
    assert {question.task for question in asked} == {"pick_up_cup"}
    for question in asked:
        name, frame = question.id.split("/")[2:4]
        line = found[question.task, int(name.removeprefix("episode"))]
        coming = next_keyframe(line.keyframes, int(frame.removeprefix("frame")))
        past = sum(keyframe < coming for keyframe in line.keyframes)
        assert [question.actions[step] for step in question.answer] == list(CUP[past:])
        assert question.answer


def test_one_question_per_frame_and_the_others_are_counted(planning, built, study):
    for split, questions in planning.items():
        frames = dict.fromkeys(question.id.rpartition("/")[0] for question in built[split])
        cups = [f"{frame}/planning" for frame in frames if frame.startswith("pick_up_cup/")]
        assert [question.id for question in questions] == cups
        assert all(question.split == split for question in questions)
    frames = [question for questions in built.values() for question in one_per_frame(questions)]
    left_out = Counter(question.task for question in frames if question.task != "pick_up_cup")
    assert unplanned(built, study[1]) == left_out and set(left_out) == {"lamp_on", "unheard_of_task"}


def test_an_episode_with_other_keyframes_is_left_out(built, study, settings):
    """A wrong count of keyframes would shift every answer of the episode."""
    keyframes = [
        replace(line, keyframes=[5, *line.keyframes]) if line.task == "pick_up_cup" and line.episode == 0 else line
        for line in study[1]
    ]
    train = planning_questions(built, keyframes, settings)["train"]
    assert {int(question.id.split("/")[2].removeprefix("episode")) for question in train} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("form", ["compact", "full"])
def test_the_prompt_shows_every_action_with_its_id(form):
    prompt = planning_prompt("pick up the red cup", CUP, form=form)
    for id, name in enumerate(CUP):
        assert f"{id} {name}" in prompt or f"action id {id}: {name}\n" in prompt
    for word in ("pick up the red cup.", "executable_plan", "language_plan", "action_id", "action_name"):
        assert word in prompt
    assert "<answer>" not in prompt


def test_supervised_examples_get_the_full_reward(planning):
    for question in planning["train"]:
        example = planning_example(question)
        assert (example.id, example.prompt, example.form) == (question.id, question.prompt, "planning")
        assert plan_format(example.completion, question.actions) == pytest.approx(1.0)
        assert plan_order(example.completion, question.answer, question.actions) == 1.0
        done = len(CUP) - len(question.answer)
        sections = json.loads(example.completion)
        assert f"{done} of {len(CUP)} steps" in sections["reasoning_and_reflection"]
        assert (CUP[done - 1] in sections["visual_state_description"]) == (done > 0)


def test_the_best_blind_plan_is_found(planning):
    """Computed here: no other suffix of the script has a better mean agreement over all frames."""
    (task, guess), *others = blind_plans(planning["train"]).items()
    assert task == "pick_up_cup" and not others
    earned = {
        size: sum(agreement([0, 1, 2][-size:], question.answer) for question in planning["train"]) for size in (1, 2, 3)
    }
    assert guess == [0, 1, 2][-max(earned, key=earned.get) :]


def test_records_come_back(planning, tmp_path):
    write_records(tmp_path / "planning.jsonl", planning["train"])
    assert read_records(tmp_path / "planning.jsonl", PlanningQuestion) == planning["train"]
