"""Success rates and comparisons of the closed loop."""

from dataclasses import replace

import pytest
from point_environment import points
from small_settings import WAYPOINTS as SETTINGS

from robotr1.evaluation.closed_loop.agents import oracle_agent
from robotr1.evaluation.closed_loop.forms import OpenForm
from robotr1.evaluation.closed_loop.results import compare, summarize
from robotr1.evaluation.closed_loop.run import run_environments


def test_the_table_has_a_row_per_task_and_one_for_all():
    traces = run_environments(points(8), oracle_agent(OpenForm(SETTINGS)))
    traces += [replace(trace, task="other", success=False) for trace in traces[:2]]
    table = summarize(traces).set_index("task")
    assert table["episodes"].to_dict() == {"points": 8, "other": 2, "all": 10}
    assert table["success"].to_dict() == {"points": 1.0, "other": 0.0, "all": 0.8}
    assert table.loc["all", "low"] == pytest.approx(0.490, abs=1e-3)  # Wilson, 8 of 10
    assert table.loc["other", "not done"] == 2


def test_success_is_compared_on_shared_placements():
    ours = run_environments(points(10), oracle_agent(OpenForm(SETTINGS)))
    theirs = [replace(trace, policy="half", success=trace.episode % 2 == 0) for trace in ours[:8]]
    row = compare([*ours, *theirs], [("oracle", "half"), ("oracle", "absent")]).iloc[0]
    assert (row["episodes"], row["difference"], row["gained"], row["lost"]) == (8, 0.5, 4, 0)
    assert row["p_value"] == row["p_holm"] == pytest.approx(2 / 2**4)
    assert row["low"] < 0.5 < row["high"]
    assert compare(ours, [("oracle", "absent")]).empty
