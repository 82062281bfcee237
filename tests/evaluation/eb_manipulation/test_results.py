"""Brackets and summaries of the EB-Manipulation protocol, on invented episodes."""

import pytest

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.eb_manipulation.results import Episode, check_brackets, summarize
from robotr1.statistics import accuracy_interval


def episode(number=0, success=True, **changes):
    known = {
        "policy": "oracle",
        "subset": "base",
        "task": "pick_up_cup",
        "episode": number,
        "seed": 0,
        "shots": 4,
        "image_size": 224,
        "instruction": "pick up the red cup",
        "success": success,
        "replies": 1,
        "steps": 3,
        "unreadable": 0,
        "unreachable": 0,
        "refused": 0,
    }
    return Episode(**(known | changes))


def test_brackets_hold_where_the_oracle_does_everything_and_luck_explains_the_random_planner():
    random = [episode(number, number == 0, policy="random") for number in range(30)]
    check_brackets([episode(number) for number in range(30)], random)


def test_one_failure_of_the_oracle_stops_the_run_and_is_named():
    with pytest.raises(BenchmarkError, match=r"fails 1 of 3 .* stack_blocks, spatial, scene 7"):
        check_brackets([episode(), episode(7, False, task="stack_blocks", subset="spatial"), episode(8)], [])


def test_a_lucky_random_planner_stops_the_run():
    random = [episode(number, number < 6, policy="random") for number in range(30)]
    with pytest.raises(BenchmarkError, match="6 of 30"):
        check_brackets([episode()], random)


def test_success_by_subset_has_wilsons_interval_and_counts():
    episodes = [episode(number, number < 3, policy="a", unreadable=number) for number in range(10)]
    episodes += [episode(number, False, policy="a", subset="visual", unreachable=2) for number in range(5)]
    table = summarize(episodes).set_index("subset")
    assert list(table.index) == ["base", "visual", "all"]
    assert tuple(table.loc["base", ["success", "low", "high"]]) == pytest.approx(
        accuracy_interval([True] * 3 + [False] * 7)
    )
    assert table.loc["all", "success"] == pytest.approx(0.2) and table.loc["all", "episodes"] == 15
    assert table.loc["base", "unreadable"] == 45 and table.loc["visual", "unreachable"] == 10
