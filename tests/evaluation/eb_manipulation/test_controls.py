"""Controls of the EB-Manipulation protocol, on invented episodes and in the simulator."""

import pytest
from line_scene import Line

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.eb_manipulation import run
from robotr1.evaluation.eb_manipulation.agents import MAX_STEPS, oracle_agent, random_agent
from robotr1.evaluation.eb_manipulation.controls import check_controls, run_controls
from robotr1.evaluation.eb_manipulation.results import SUBSETS, Episode, summarize
from robotr1.evaluation.eb_manipulation.run import run_agent

CUP = {"subsets": ["base"], "tasks": ["pick_up_cup"], "image_size": 64}


def episode(number=0, success=True, policy="oracle", subset="base", task="pick_up_cup"):
    return Episode(policy, subset, task, number, 0, 4, 224, "pick up the red cup", success, 1, 3, 0, 0, 0)


@pytest.fixture
def lines(monkeypatch):
    monkeypatch.setattr(run, "embodied_scenes", lambda task, n, seed, size: (Line(task, one) for one in range(n)))


def test_controls_pass_where_the_oracle_completes_all_and_luck_explains_the_random_agent():
    random = [episode(number, number == 0, policy="random") for number in range(30)]
    check_controls([episode(number) for number in range(30)], random)


def test_one_failure_of_the_oracle_is_an_error_that_names_it():
    with pytest.raises(BenchmarkError, match=r"fails 1 of 3 .* stack_blocks, spatial, scene 7"):
        check_controls([episode(), episode(7, False, task="stack_blocks", subset="spatial"), episode(8)], [])


def test_too_many_successes_of_the_random_agent_are_an_error():
    random = [episode(number, number < 6, policy="random") for number in range(30)]
    with pytest.raises(BenchmarkError, match="the random policy scores 0.200 on 30 items"):
        check_controls([episode()], random)


@pytest.mark.usefixtures("lines")
def test_random_plans_are_readable_and_repeatable():
    first, second = (run_agent(random_agent(4), 3, 0) for _ in range(2))
    assert first == second
    assert all(one.unreadable == 0 and one.steps == MAX_STEPS and not one.success for one in first)


@pytest.mark.usefixtures("lines")
def test_the_oracle_runs_with_all_wordings_and_random_with_one(monkeypatch):
    table = summarize(run_controls(2, 0)).set_index(["policy", "subset"])
    assert set(table.loc["oracle"].index) == {*SUBSETS, "all"}
    assert set(table.loc["random"].index) == {"base", "all"}
    assert (table.loc["oracle"]["success"] == 1).all() and (table.loc["random"]["success"] == 0).all()
    monkeypatch.setattr(Line, "success", lambda self: False)
    with pytest.raises(BenchmarkError, match="the oracle fails"):
        run_controls(1, 0)


@pytest.mark.usefixtures("simulator")
def test_the_controls_pass_in_the_simulator():
    oracle, random = run_agent(oracle_agent(), 2, 5, **CUP), run_agent(random_agent(5), 2, 5, **CUP)
    check_controls(oracle, random)
    assert [one.success for one in random] == [False, False]


@pytest.mark.usefixtures("simulator")
def test_a_runner_that_executes_other_actions_is_an_error(monkeypatch):
    act, scenes = run.EmbodiedScene.act, run.embodied_scenes

    def prepared(*arguments):
        """The scenes as they are found with the right actions."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run.EmbodiedScene, "act", act)
            return list(scenes(*arguments))

    monkeypatch.setattr(
        run.EmbodiedScene, "act", lambda self, action: act(self, (action[0], min(action[1] + 5, 99), *action[2:]))
    )
    monkeypatch.setattr(run, "embodied_scenes", prepared)
    with pytest.raises(BenchmarkError, match="fails 1 of 1"):
        check_controls(run_agent(oracle_agent(), 1, 5, **CUP), [])
