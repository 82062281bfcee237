"""Agents of the closed loop in an invented environment with known odds."""

from dataclasses import replace

import numpy as np
import pytest
import speaking_policy
from point_environment import facts, points
from small_settings import WAYPOINTS as SETTINGS

from robotr1 import paths
from robotr1.evaluation.closed_loop.agents import oracle_agent, policy_agent, random_agent, text_only_agent
from robotr1.evaluation.closed_loop.forms import MultipleChoiceForm, OpenForm
from robotr1.evaluation.closed_loop.run import run_environments
from robotr1.policies.folders import PolicyError
from robotr1.records import Question
from robotr1.settings import load_settings

BENCHMARKS = replace(load_settings()["run_benchmarks"], max_completion_length=40, batch_size=4)


@pytest.mark.parametrize("kind", ["position", "extended"])
@pytest.mark.parametrize("form", [MultipleChoiceForm, OpenForm])
def test_the_oracle_succeeds_in_every_form_and_kind_of_state(form, kind):
    settings = replace(SETTINGS, state=kind)
    form = MultipleChoiceForm([], settings) if form is MultipleChoiceForm else OpenForm(settings)
    traces = run_environments(points(20), oracle_agent(form), kind)
    assert all(trace.success and not trace.reason and len(trace.steps) == 2 for trace in traces)
    assert all(len(step.answer) == (3 if kind == "position" else 7) for trace in traces for step in trace.steps)


def test_the_random_agent_succeeds_as_often_as_its_odds_say():
    """1 in 16 for two steps of four options; an option above 1.5 m is unreachable, and its step is asked again."""
    traces = run_environments(points(600), random_agent(MultipleChoiceForm([], SETTINGS), 0))
    share = np.mean([trace.success for trace in traces])
    assert 0.04 < share < 0.105, share  # 1/16 = 0.0625; 0.25 / (1 - 0.75 * 0.1 / 0.85) squared = 0.075
    assert not any(trace.success for trace in run_environments(points(300), random_agent(OpenForm(SETTINGS), 0)))


def test_the_text_only_agent_completes_what_the_text_gives_away():
    """Right options are always the lowest: an agent that reads them completes far more than 1 in 16 episodes."""
    rng, training = np.random.default_rng(0), []
    draft = Question("", "train", "waypoint", "points", 0, 0, 0, 0, "", "go there", [0, 0, 1], [], [], "A", "")
    form = MultipleChoiceForm([], SETTINGS)
    for number in range(200):
        target = [*rng.uniform([0, -0.4], [0.5, 0.4]), 0.76]
        training.append(form.question(replace(draft, id=str(number), target=target), []))

    def low(environment):
        for goal in environment.goals:
            goal.pose[2] = 0.76
        return environment

    agent = text_only_agent(form, training)
    assert (agent.name, agent.uses_images) == ("text_only", False)
    traces = run_environments(map(low, points(60)), agent)
    assert np.mean([trace.success for trace in traces]) > 0.5


def test_a_policy_agent_gets_images_and_its_completions_are_read(monkeypatch, tmp_path):
    base, _ = speaking_policy.shared()
    monkeypatch.setattr(paths, "MODELS", base.parent)
    agent = policy_agent(base.name, MultipleChoiceForm([], SETTINGS), BENCHMARKS, tmp_path / "cache")
    assert (agent.name, agent.uses_images) == (base.name, True)
    traces = run_environments(points(4), agent)
    steps = [step for trace in traces for step in trace.steps]
    assert all(step.image.shape == (8, 8, 3) for step in steps)
    assert any(step.answer for step in steps), "the policy knows the answer form"
    assert facts(run_environments(points(4), agent, together=2)) == facts(traces)


def test_a_folder_without_a_policy_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "MODELS", tmp_path)
    with pytest.raises(PolicyError, match="nobody"):
        policy_agent("nobody", MultipleChoiceForm([], SETTINGS), BENCHMARKS)
