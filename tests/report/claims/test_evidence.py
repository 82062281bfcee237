"""Evidence from a study's answers and from the ablation's metrics."""

import json
from dataclasses import replace

import pytest
from synthetic_study import acted, answers, predictions, questions, results, results_of

from robotr1.evaluation.judging.rubric import ABILITIES
from robotr1.report.claims.evidence import ABLATION, ablation, gain, open_questions, read_ablation, success


def with_study(**changes):
    return replace(results(), study=replace(results().study, **changes))


def scored(scores):
    """Answers of each policy to the same items, all with one score."""
    base = [row for row in answers() if row.policy == "base"]
    return [
        replace(row, policy=policy, judgement=replace(row.judgement, score=score))
        for policy, score in scores.items()
        for row in base
    ]


def test_the_gain_is_that_of_the_accuracies():
    found = gain(results(), "test_in")
    row = results().comparisons.query("policy == 'grpo-seed0' and baseline == 'base' and split == 'test_in'")
    assert found.difference == pytest.approx(100 * row[row["type"] == "all"]["difference"].item())
    assert found.low < found.difference < found.high
    assert (found.n, found.seeds, found.seeds_agree) == (48, 1, True)


def test_the_gain_needs_a_base_and_a_reinforced_policy():
    asked = questions()
    for policy in ("base", "grpo-seed0"):
        alone = [p for p in predictions(asked) if p.policy == policy]
        assert gain(results_of(alone, asked), "test_in") is None


def test_seeds_that_disagree_are_noticed():
    asked = questions()
    told = {p.policy: [] for p in predictions(asked)}
    for p in predictions(asked):
        told[p.policy].append(p)
    wrong = [replace(p, policy="grpo-seed1", correct=False) for p in told["base"]]
    found = gain(results_of(told["base"] + told["grpo-seed0"] + wrong, asked), "test_in")
    assert (found.seeds, found.seeds_agree) == (2, False)


def test_scores_of_open_questions_are_averaged_over_seeds():
    rows = scored({"base": 1, "grpo-seed0": 3, "grpo-seed1": 2})
    found = open_questions(with_study(open_questions=rows), ["grpo-seed0", "grpo-seed1"], "base", ABILITIES)
    assert (found.difference, found.low, found.high) == (1.5, 1.5, 1.5)
    assert (found.n, found.seeds, found.seeds_agree) == (40, 2, True)
    one = open_questions(with_study(open_questions=rows), ["grpo-seed0"], "base", ["planning"])
    assert (one.difference, one.n) == (2, 10)


def test_missing_policies_are_no_evidence():
    study = with_study(open_questions=scored({"base": 1}))
    assert open_questions(study, ["grpo-seed0"], "base", ABILITIES) is None
    assert open_questions(with_study(open_questions=[]), ["grpo-seed0"], "base", ABILITIES) is None
    assert success(results(), [], ["grpo-seed0"]) is None


def test_success_is_compared_on_the_same_placements():
    found = success(results(), acted(), ["grpo-seed0"])
    rate = {p: 100 * sum(t.success for t in acted() if t.policy == p) / 8 for p in ("base", "grpo-seed0")}
    assert found.difference == pytest.approx(rate["grpo-seed0"] - rate["base"])
    assert (found.n, found.counts_episodes) == (8, True)


def test_ablation_differences_are_read_with_their_seeds(tmp_path):
    row = {"difference": 0.1, "low": 0.05, "high": 0.15, "std": 0.01, "verdict": "better", "questions": 420}
    named = {"grpo − sft_direct, own form (waypoint, state)": {"test_in": row}}
    (tmp_path / "report.json").write_text(json.dumps({"differences": named}))
    for name in ("grpo-0", "grpo-1", "sft_direct-0", "grpo_other-5"):
        (tmp_path / f"{name}.json").write_text("{}")
    differences = read_ablation(tmp_path / "report.json")
    found = ablation(differences, "grpo − sft_direct, open form", "test_in")
    assert (found.difference, found.low, found.high) == pytest.approx((10, 5, 15))
    assert (found.n, found.seeds, found.seeds_agree) == (420, 2, True)
    assert ablation(differences, "grpo − sft_direct, open form", "test_out") is None


def test_an_interval_without_zero_is_not_enough_if_seeds_disagree():
    row = {"difference": 0.1, "low": 0.05, "high": 0.15, "verdict": "not told apart", "seeds": 3}
    assert ablation({"a − b": {"test_in": row}}, "a − b", "test_in").seeds_agree is False


def test_without_an_ablation_there_are_no_differences(tmp_path):
    assert read_ablation(tmp_path / "report.json") == {}


def test_the_committed_ablation_is_read(committed):
    differences = read_ablation(committed / ABLATION.relative_to(ABLATION.parents[3]))
    assert ablation(differences, "rloo − grpo", "test_in").seeds == 3
