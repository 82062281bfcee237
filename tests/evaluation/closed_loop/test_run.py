"""The rules of the closed loop, in an invented environment."""

import json
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from point_environment import facts, points, scripted_agent
from small_settings import WAYPOINTS as SETTINGS

from robotr1 import fields, paths
from robotr1.evaluation.closed_loop.agents import Agent, oracle_agent, random_agent
from robotr1.evaluation.closed_loop.forms import MultipleChoiceForm, OpenForm
from robotr1.evaluation.closed_loop.results import MAX_LOST, summarize
from robotr1.evaluation.closed_loop.run import run_environments
from robotr1.questions.prompts import format_state


def test_the_policy_commands_the_gripper_only_in_extended_states():
    def wrong_gripper(questions):
        return [format_state([*q.target[:6], 1 - q.target[6]], 6) for q in questions]

    extended = replace(SETTINGS, state="extended")
    (trace,) = run_environments(points(1), Agent("wrong", OpenForm(extended), wrong_gripper), "extended")
    assert not trace.success and trace.reason == "not done" and all(step.right for step in trace.steps)
    (trace,) = run_environments(points(1), oracle_agent(OpenForm(extended)), "extended")
    assert trace.success


@given(st.lists(st.sampled_from(["[0.3, 0.1, 1.0]", "[0.3, 0.1, 1.55]", "[9, 9, 9]", "", "[1, 2]"]), min_size=6))
def test_lost_steps_are_asked_again_until_the_limit(completions):
    (trace,) = run_environments(points(1), scripted_agent(*completions))
    lost = [step.lost for step in trace.steps]
    assert [step.outcome for step in trace.steps] == [
        {"[0.3, 0.1, 1.0]": "moved", "": "unreadable", "[1, 2]": "unreadable"}.get(text, "unreachable")
        for text in completions[: len(lost)]
    ]
    assert sum(lost) <= MAX_LOST + 1 and lost.count(False) <= 2
    assert sum(lost) == MAX_LOST + 1 or lost.count(False) == 2
    targets = [step.target for step in trace.steps]
    for before, after, was_lost in zip(targets, targets[1:], lost):
        assert (before == after) == was_lost


def test_unreadable_completions_are_counted_and_end_no_run():
    for form in (MultipleChoiceForm([], SETTINGS), OpenForm(SETTINGS)):
        for text in ("", "no idea", "<answer> [[H]] </answer>"):
            traces = run_environments(points(3), scripted_agent(text, form=form))
            assert [trace.reason for trace in traces] == ["unreadable"] * 3
            row = summarize(traces).iloc[0]
            assert (row["success"], row["unreadable"], row["asked"], row["right"]) == (0, 3, MAX_LOST + 1, 0)
            assert 0 == row["low"] < row["high"] < 1


def test_the_number_of_episodes_at_a_time_changes_no_result():
    agent = random_agent(MultipleChoiceForm([], SETTINGS), 3)
    first = facts(run_environments(points(20), agent, together=16))
    for together in (1, 7, 16):
        assert facts(run_environments(points(20), agent, together=together)) == first
    assert first != facts(run_environments(points(20), random_agent(MultipleChoiceForm([], SETTINGS), 4)))


def test_batches_hold_every_running_episode():
    sizes = []

    def complete(questions):
        sizes.append(len(questions))
        return [format_state(question.target, 6) for question in questions]

    run_environments(points(5, goals=3), Agent("counts", OpenForm(SETTINGS), complete), together=3)
    assert sizes == [3, 3, 3, 2, 2, 2]


def test_an_agent_with_images_gets_a_new_one_after_every_step():
    shown, files = [], []

    def complete(questions):
        for question in questions:
            files.append(paths.ROOT / question.image)
            assert not PurePosixPath(question.image).is_absolute()
            with Image.open(paths.ROOT / question.image) as image:
                shown.append(int(np.asarray(image)[0, 0, 0]))
        return [format_state(question.target, 6) for question in questions]

    (trace,) = run_environments(points(1), Agent("images", OpenForm(SETTINGS), complete, uses_images=True))
    assert shown == [1, 2]
    assert [int(step.image[0, 0, 0]) for step in trace.steps] == shown and trace.last_image[0, 0, 0] == 3
    assert len(files) == 2 and not any(file.exists() for file in files), "images are temporary"
    (without,) = run_environments(points(1), oracle_agent(OpenForm(SETTINGS)))
    assert without.last_image is None and without.steps[0].image is None


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from([*"[]{}()0123456789.,-+eE ", "<answer>", "</answer>", "[[A]]", "[0.3, 0.1, 1]", "9" * 400]),
        max_size=30,
    ).map("".join)
)
def test_any_completion_is_executed_or_unreadable_and_can_be_written(completion):
    extended = OpenForm(replace(SETTINGS, state="extended"))
    for form, kind in (
        (MultipleChoiceForm([], SETTINGS), "position"),
        (OpenForm(SETTINGS), "position"),
        (extended, "extended"),
    ):
        (trace,) = run_environments(points(1), scripted_agent(completion, form=form), kind)
        assert trace.steps and all((step.answer is None) == (step.outcome == "unreadable") for step in trace.steps)
        json.dumps(fields.to_mapping(trace), allow_nan=False)
