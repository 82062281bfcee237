"""Controls of the closed loop."""

from dataclasses import replace

import pytest
from point_environment import points
from small_settings import WAYPOINTS as SETTINGS

from robotr1.evaluation.closed_loop.agents import oracle_agent
from robotr1.evaluation.closed_loop.controls import check_controls, run_controls
from robotr1.evaluation.closed_loop.forms import MultipleChoiceForm, OpenForm
from robotr1.evaluation.closed_loop.results import summarize
from robotr1.evaluation.closed_loop.run import run_environments
from robotr1.evaluation.controls import BenchmarkError


def test_a_failed_control_is_an_error():
    traces = run_environments(points(40), oracle_agent(MultipleChoiceForm([], SETTINGS)))
    check_controls(traces, 0.25)
    with pytest.raises(
        BenchmarkError, match="closed loop: the random policy scores 1.000 on 40 items, where chance is at most 0.250"
    ):
        check_controls([replace(trace, policy="random") for trace in traces], 0.25)
    failing = [replace(trace, success=trace.episode != 7) for trace in traces]
    with pytest.raises(
        BenchmarkError, match=r"closed loop: the oracle fails 1 of 40 items, first points, episode 7 \(not done\)"
    ):
        check_controls(failing, 0.25)


@pytest.mark.usefixtures("simulator")
@pytest.mark.parametrize("form", [MultipleChoiceForm([], SETTINGS), OpenForm(SETTINGS)])
def test_the_controls_pass_on_the_tabletop(form):
    table = summarize(run_controls(form, ["push_button", "lamp_on"], 2, 5, SETTINGS)).set_index(["policy", "task"])
    assert table.loc[("oracle", "all"), "success"] == 1.0
    assert table["episodes"].to_dict() == {
        (policy, task): 4 if task == "all" else 2
        for policy in ("oracle", "random")
        for task in ("push_button", "lamp_on", "all")
    }


def test_without_tasks_there_is_nothing_to_check():
    assert run_controls(MultipleChoiceForm([], SETTINGS), [], 0, 0, SETTINGS) == []
    assert summarize([]).empty
