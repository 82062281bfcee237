"""The exam: who is asked what, and what its controls catch."""

import dataclasses

import pytest
from synthetic_study import questions

from robotr1.evaluation import benchmark as module
from robotr1.evaluation.benchmark import (
    BenchmarkError,
    benchmark,
    check_controls,
    controls,
    own_form_questions,
    read_questions,
)
from robotr1.evaluation.mcqa import evaluate
from robotr1.questions.prompts import completion_text
from robotr1.records import RecordError, write_records
from robotr1.settings import load_settings

ASKED = questions(episodes=3)
SETTINGS, PROMPTS = load_settings()["run_benchmarks"], load_settings()["build_questions"]


@pytest.mark.parametrize("most", [0, 1, 7, 10_000])
def test_a_short_exam_is_drawn_evenly(tmp_path, most):
    for split in ("test_in", "test_out"):
        write_records(tmp_path / f"{split}.jsonl", ASKED)
    chosen = read_questions(tmp_path, ["test_in", "test_out"], most)
    count = min(most or len(ASKED), len(ASKED))
    assert len(chosen) == 2 * count
    places = [ASKED.index(one) for one in chosen[:count]]
    gaps = [after - before for before, after in zip(places, places[1:])]
    assert places[0] == 0
    assert all(gap >= 1 and abs(gap - len(ASKED) / count) < 1 for gap in gaps)


def test_controls_pass_on_sound_questions():
    found = controls(ASKED, ASKED, seed=0)
    check_controls(ASKED, found)
    assert {p.policy for p in found} == {"oracle", "random", "text_only"}
    assert all(p.correct for p in found if p.policy == "oracle")


def test_without_training_questions_there_is_no_text_only():
    assert {p.policy for p in controls(ASKED, [], seed=0)} == {"oracle", "random"}


def test_a_broken_scoring_is_caught():
    answers = [completion_text("x", "B" if one.answer == "A" else "A") for one in ASKED]
    with pytest.raises(BenchmarkError, match="the oracle is wrong"):
        check_controls(ASKED, evaluate("oracle", ASKED, answers))


def test_letters_that_are_always_the_same_are_caught():
    skewed = [dataclasses.replace(one, answer="A") for one in ASKED]
    with pytest.raises(BenchmarkError, match="not spread evenly"):
        check_controls(skewed, evaluate("random", skewed, [completion_text("x", "A")] * len(skewed)))


def test_own_form_has_no_options_and_no_movements():
    asked = own_form_questions(ASKED, PROMPTS)
    assert {one.type for one in asked} == {"waypoint", "state"}
    assert not any("[[A]]" in one.prompt for one in asked)


@pytest.fixture
def calls(monkeypatch):
    """Policies that answer nothing, and a record of how they were asked."""
    from robotr1.policies import generate, load

    calls = []

    def complete(model, processor, asked, *, images, **_):
        calls.append((images, "[[A]]" in asked[0].prompt, {one.split for one in asked}))
        return [""] * len(asked)

    monkeypatch.setattr(load, "load_policy", lambda folder, quantization: (None, None))
    monkeypatch.setattr(generate, "complete", complete)
    monkeypatch.setattr(module, "read_scenes", lambda asked: {})
    return calls


def test_supervised_policies_are_asked_in_both_forms(calls):
    found = benchmark("sft-cot", ASKED, SETTINGS, PROMPTS)
    assert [(images, choice) for images, choice, _ in calls] == [("real", True), ("real", False)]
    assert {p.policy for p in found} == {"sft-cot", "sft-cot-own-form"}


def test_others_also_see_blank_images_on_the_test_splits(calls):
    found = benchmark("grpo-seed0", ASKED, SETTINGS, PROMPTS)
    assert calls[1] == ("blank", True, {"test_in", "test_out"})
    assert {p.policy for p in found} == {"grpo-seed0", "grpo-seed0-blank"}


def test_missing_questions_name_the_file(tmp_path):
    with pytest.raises(RecordError, match=r"validation\.jsonl"):
        module.read_questions(tmp_path)
