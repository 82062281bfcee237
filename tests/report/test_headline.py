"""The main result, as a sentence and as numbers."""

import dataclasses
import re

import pytest
from synthetic_study import predictions, questions, results, results_of

from robotr1.report.headline import headline, headline_numbers


def base_only():
    return [p for p in predictions(questions()) if p.policy == "base"]


def share_right(policy, split):
    answers = [p.correct for p in results().study.predictions if (p.policy, p.split) == (policy, split)]
    return 100 * sum(answers) / len(answers)


def test_headline_gives_gain_interval_and_p():
    text = headline(results())
    assert text.startswith("On the 48 held-out questions of the training tasks, GRPO answers ")
    numbers = re.search(r"answers ([\d.]+)% .* base ([\d.]+)%: a gain of \+([\d.]+)", text).groups()
    after, before, gain = map(float, numbers)
    assert after == pytest.approx(share_right("grpo-seed0", "test_in"), abs=0.06)
    assert before == pytest.approx(share_right("base", "test_in"), abs=0.06)
    assert gain == pytest.approx(after - before, abs=0.11)
    assert "exact McNemar test, p < 0.001" in text
    assert "not more than chance" not in text


def test_headline_says_that_there_is_no_gain():
    same = [dataclasses.replace(p, policy="grpo-seed0") for p in base_only()]
    text = headline(results_of(base_only() + same, questions()))
    assert "a change of +0.0 points" in text
    assert "not more than chance" in text


def test_headline_without_reinforced_policy():
    assert headline(results_of(base_only(), questions())).startswith("There is no reinforced")


def test_numbers_are_percent_right_of_base_and_reinforced_policies():
    numbers = headline_numbers(results())
    assert set(numbers) == {"test_in", "test_out", "gain"}
    for split in ("test_in", "test_out"):
        assert set(numbers[split]) == {"base", "grpo-seed0"}
        for policy, value in numbers[split].items():
            assert value == pytest.approx(share_right(policy, split), abs=0.051)


def test_numbers_of_the_gain_are_those_of_the_sentence():
    gain, text = headline_numbers(results())["gain"], headline(results())
    assert f"a gain of {gain['points']:+.1f} points" in text
    assert f"interval over episodes {gain['low']:+.1f} to {gain['high']:+.1f};" in text
    assert gain["low"] < gain["points"] < gain["high"]


def test_numbers_without_reinforced_policy_have_no_gain():
    numbers = headline_numbers(results_of(base_only(), questions()))
    assert "gain" not in numbers
    assert set(numbers["test_in"]) == {"base"}
