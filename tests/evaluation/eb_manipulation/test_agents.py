"""The policy agent of the EB-Manipulation protocol; oracle and random are tested with the controls."""

import pytest
import speaking_policy
from line_scene import Line

from robotr1 import paths
from robotr1.evaluation.eb_manipulation import run
from robotr1.evaluation.eb_manipulation.agents import policy_agent
from robotr1.evaluation.eb_manipulation.run import run_agent
from robotr1.policies.folders import PolicyError


def test_a_policy_without_plans_has_unreadable_replies_only(monkeypatch):
    base, _ = speaking_policy.shared()
    monkeypatch.setattr(paths, "MODELS", base.parent)
    monkeypatch.setattr(run, "MAX_STEPS", 3)
    monkeypatch.setattr(run, "embodied_scenes", lambda task, n, seed, size: (Line(task, one) for one in range(n)))
    agent = policy_agent(base.name, max_completion_length=4)
    assert (agent.name, agent.uses_images) == (base.name, True)
    episodes = run_agent(agent, 2, 0, subsets=["base"], tasks=["pick_up_cup"], shots=1)
    assert [(one.success, one.unreadable) for one in episodes] == [(False, 3)] * 2


def test_a_folder_without_a_policy_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "MODELS", tmp_path)
    with pytest.raises(PolicyError, match="nobody"):
        policy_agent("nobody")
