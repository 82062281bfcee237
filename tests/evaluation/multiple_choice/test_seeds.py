"""Pooling seeds: what is a mean over seeds, what is their spread, and what the interval draws."""

import dataclasses

import numpy as np
import pytest
from synthetic_study import predictions, questions

from robotr1.evaluation.multiple_choice.seeds import over_seeds

ASKED = questions(episodes=6, splits={"test_in": ["pick_up_cup"]})


def right(policy, share):
    """A policy that has every question of the first `share` of the episodes right."""
    one = [p for p in predictions(ASKED) if p.policy == "grpo-seed0"]
    return [dataclasses.replace(p, policy=policy, correct=q.episode < 6 * share) for p, q in zip(one, ASKED)]


def row(found, kind="all"):
    return over_seeds(found).query("type == @kind").iloc[0]


def test_mean_deviation_and_range_are_those_of_the_seeds():
    found = right("grpo-seed0", 0.5) + right("grpo-seed1", 1.0) + right("grpo-seed2", 1.0) + right("base", 0.5)
    got = row(found)
    assert (got["seeds"], got["questions"]) == (3, len(ASKED))
    assert got["accuracy"] == pytest.approx(np.mean([0.5, 1, 1]))
    assert got["deviation"] == pytest.approx(np.std([0.5, 1, 1], ddof=1))
    assert (got["lowest"], got["highest"]) == (0.5, 1.0)
    assert got["gain"] == pytest.approx(1 / 3)
    assert got["gain_low"] <= got["gain"] <= got["gain_high"]


def test_the_same_answers_three_times_do_not_narrow_the_interval():
    once = row(right("grpo-seed0", 0.5))
    thrice = row([p for seed in range(3) for p in right(f"grpo-seed{seed}", 0.5)])
    assert (thrice["low"], thrice["high"]) == (once["low"], once["high"])
    assert np.isnan(once["deviation"]) and thrice["deviation"] == 0
    assert np.isnan(once["gain"]), "there is no base to gain on"


def test_algorithms_are_kept_apart_and_other_policies_left_out():
    found = (
        right("grpo-seed0", 1.0) + right("rloo-seed0", 0.5) + right("sft-direct", 0.5) + right("grpo-seed0-blank", 0)
    )
    table = over_seeds(found)
    assert set(table["algorithm"]) == {"grpo", "rloo"}
    assert set(table["type"]) == {"all", "waypoint", "state", "movement"}
    assert over_seeds(right("base", 1.0)).empty
