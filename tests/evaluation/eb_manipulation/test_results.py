"""Summaries of the EB-Manipulation protocol."""

import pytest

from robotr1.evaluation.eb_manipulation.results import Episode, summarize
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
