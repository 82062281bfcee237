"""The closed loop in the real simulator."""

from dataclasses import replace

import numpy as np
import pytest
from point_environment import DOWN, facts
from small_settings import WAYPOINTS as SETTINGS

from robotr1.demos.tabletop.tasks import TASKS
from robotr1.evaluation.closed_loop.agents import oracle_agent, random_agent
from robotr1.evaluation.closed_loop.forms import MultipleChoiceForm, OpenForm
from robotr1.evaluation.closed_loop.run import run_environments
from robotr1.evaluation.closed_loop.tabletop import tabletop_environments

pytestmark = pytest.mark.usefixtures("simulator")


def run(agent, task, episodes, seed=5, **options):
    return run_environments(tabletop_environments(task, episodes, seed), agent, **options)


@pytest.mark.parametrize("task", TASKS)
def test_the_oracle_completes_every_task(task):
    position = run(oracle_agent(MultipleChoiceForm([], SETTINGS)), task, 2)
    assert [trace.success for trace in position] == [True, True]
    extended = oracle_agent(OpenForm(replace(SETTINGS, state="extended")))
    assert run(extended, task, 1, kind="extended")[0].success


def test_agents_share_new_placements_and_traces_are_repeatable():
    random = random_agent(MultipleChoiceForm([], SETTINGS), 0)
    first = run(random, "push_button", 3)
    assert facts(first) == facts(run(random, "push_button", 3, together=1))
    starts = [trace.steps[0].target for trace in run(oracle_agent(OpenForm(SETTINGS)), "push_button", 3)]
    assert starts == [trace.steps[0].target for trace in first]
    assert len({tuple(start) for start in starts}) == 3
    other = run(random, "push_button", 3, seed=6)
    assert starts != [trace.steps[0].target for trace in other]


def test_the_oracle_moves_as_the_expert_did():
    for environment in tabletop_environments("pick_up_cup", 2, 5):
        poses, opened = environment.demo
        for goal in environment.goals:
            assert environment.execute(goal.pose, goal.gripper) == "moved"
        np.testing.assert_allclose(environment.gripper()[0], poses[-1], atol=1e-6)
        assert environment.gripper()[1] == opened[-1] and environment.success()


def test_an_unreachable_pose_moves_nothing_and_an_obstacle_blocks():
    (environment,) = tabletop_environments("lamp_on", 1, 5)
    home, state = environment.gripper()[0], environment._scene.save_state()[0]
    far = np.array([0.69, 0.49, 1.59, *home[3:]])
    assert environment.execute(far, 0.0) == "unreachable"
    np.testing.assert_array_equal(environment._scene.save_state()[0], state)
    into_the_table = np.array([0.45, 0.3, 0.70, *DOWN])
    assert environment.execute(into_the_table, 1.0) == "blocked"
    assert environment.gripper()[0][2] > 0.74
    assert environment.execute(np.array([0.35, 0.2, 1.0, *DOWN]), 1.0) == "moved"  # and the arm can leave it
