"""The exam: who is asked what, and what its controls catch."""

import dataclasses

import pytest
from synthetic_study import questions

from robotr1 import paths
from robotr1.evaluation.multiple_choice import run as module
from robotr1.evaluation.multiple_choice.run import (
    BenchmarkError,
    benchmark,
    check_controls,
    controls,
    own_form_questions,
    read_questions,
)
from robotr1.evaluation.multiple_choice.scoring import evaluate
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
    assert {p.policy for p in found} == {"oracle", "random", "majority", "text_only"}
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
def calls(monkeypatch, tmp_path):
    """Policies that answer nothing, and a record of how they were asked."""
    calls = []

    def asker(policy, settings):
        def ask(asked, images="real"):
            calls.append((images, "[[A]]" in asked[0].prompt, {one.split for one in asked}))
            return [""] * len(asked)

        return ask

    forms = {"sft-direct": "direct", "sft-cot": "cot", "sft-cold_start": "cold_start", "sft-planning": "planning"}
    for policy, form in (forms | {"grpo-seed0": "mcqa", "rloo-seed0": "open"}).items():
        paths.write_json(tmp_path / policy / "settings.json", {"form": form})
    monkeypatch.setattr(paths, "MODELS", tmp_path)
    monkeypatch.setattr(module, "asker", asker)
    monkeypatch.setattr(module, "has_image", lambda image: "lost" not in image)
    monkeypatch.setattr(module, "read_scenes", lambda asked: {})
    return calls


@pytest.mark.parametrize("policy", ["sft-direct", "sft-cot", "rloo-seed0"])
def test_those_trained_on_open_questions_are_asked_in_both_forms(calls, policy):
    found = benchmark(policy, ASKED, SETTINGS, PROMPTS)
    assert [(images, choice) for images, choice, _ in calls] == [("real", True), ("real", False)]
    assert {p.policy for p in found} == {policy, f"{policy}-own-form"}


@pytest.mark.parametrize("policy", ["base", "grpo-seed0", "sft-cold_start"])
def test_those_that_choose_also_see_blank_images_on_the_test_splits(calls, policy):
    found = benchmark(policy, ASKED, SETTINGS, PROMPTS)
    assert [(images, choice) for images, choice, _ in calls] == [("real", True), ("blank", True)]
    assert calls[1][2] == {"test_in", "test_out"}
    assert {p.policy for p in found} == {policy, f"{policy}-blank"}


def test_a_planner_is_not_asked_for_states(calls):
    assert {p.policy for p in benchmark("sft-planning", ASKED, SETTINGS, PROMPTS)} == {"sft-planning"}
    assert len(calls) == 1


def test_open_questions_are_asked_as_in_training(calls):
    assert "Think" not in own_form_questions(ASKED, PROMPTS)[0].prompt
    assert "Think" in own_form_questions(ASKED, PROMPTS, think=True)[0].prompt


def test_questions_without_image_are_counted_and_stop_nothing(calls, capsys):
    asked = [dataclasses.replace(ASKED[0], image="lost.png"), *ASKED[1:]]
    found = benchmark("base", asked, SETTINGS, PROMPTS)
    assert {p.id for p in found} == {one.id for one in ASKED[1:]}
    assert "base: 1 questions cannot be asked" in capsys.readouterr().out


def test_missing_questions_name_the_file(tmp_path):
    with pytest.raises(RecordError, match=r"validation\.jsonl"):
        module.read_questions(tmp_path)
