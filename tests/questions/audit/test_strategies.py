"""Every strategy is audited, and the audit finds strategies that leak."""

from dataclasses import replace

import pytest

from robotr1.questions.audit.strategies import audit_strategies, best_guesses
from robotr1.questions.distractors.strategies import STRATEGIES
from robotr1.questions.trajectory import trajectories_of


@pytest.fixture(scope="module")
def audited(study, settings):
    return audit_strategies(trajectories_of(*study), settings)


def test_every_strategy_and_type_has_a_best_guess(audited):
    asked = [("waypoint", False), ("waypoint", True), ("state", False), ("movement", False), ("movement", True)]
    best = best_guesses(audited)
    found = {(row.strategy, row.split, row.type, row.stated) for row in best}
    assert found == {(name, split, *ask) for name in STRATEGIES for split in ("test_in", "test_out") for ask in asked}
    assert len(best) == len(found)
    for row in audited:
        assert row.low <= row.accuracy <= row.high
        top = next(
            b
            for b in best
            if (b.strategy, b.split, b.type, b.stated) == (row.strategy, row.split, row.type, row.stated)
        )
        assert top.accuracy >= row.accuracy


def test_positions_from_anywhere_leak_more_than_answers_of_other_episodes(audited):
    best = {(row.strategy, row.type): row for row in best_guesses(audited) if row.split == "test_in" and not row.stated}
    for type in ("waypoint", "state"):
        assert best["uniform", type].low > best["other_episodes", type].high


def test_a_strategy_that_cannot_keep_the_gap_has_no_rows(study, settings):
    wide = replace(settings, types=["state"], minimum_gap=0.6)
    assert {row.strategy for row in audit_strategies(trajectories_of(*study), wide, ["uniform", "same_episode"])} == {
        "uniform"
    }
