"""Which forms each policy answers, and what happens without an image."""

import dataclasses

import pytest
from synthetic_study import questions

from robotr1 import paths
from robotr1.evaluation.multiple_choice import run as module
from robotr1.evaluation.multiple_choice.run import answer_form, benchmark
from robotr1.records import RecordError
from robotr1.settings import load_settings

ASKED = questions(episodes=3)
SETTINGS, PROMPTS = load_settings()["run_benchmarks"], load_settings()["build_questions"]


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """Policies with empty completions, and a record of their calls."""
    calls = []

    def load_completer(policy, settings):
        def complete(asked, images="real"):
            calls.append((images, "[[A]]" in asked[0].prompt, {one.split for one in asked}))
            return [None if "lost" in one.image else "" for one in asked]

        return complete

    forms = {"sft-direct": "direct", "sft-cot": "cot", "sft-cold_start": "cold_start", "sft-planning": "planning"}
    for policy, form in (forms | {"grpo-seed0": "mcqa", "rloo-seed0": "open"}).items():
        paths.write_json(tmp_path / policy / "settings.json", {"form": form})
    monkeypatch.setattr(paths, "MODELS", tmp_path)
    monkeypatch.setattr(module, "load_completer", load_completer)
    monkeypatch.setattr(module, "read_scenes", lambda asked: {})
    return calls


@pytest.mark.parametrize("policy", ["sft-direct", "sft-cot", "rloo-seed0"])
def test_policies_trained_on_open_questions_answer_both_forms(calls, policy):
    found = benchmark(policy, ASKED, SETTINGS, PROMPTS)
    assert [(images, choice) for images, choice, _ in calls] == [("real", True), ("real", False)]
    assert {p.policy for p in found} == {policy, f"{policy}-own-form"}


@pytest.mark.parametrize("policy", ["base", "grpo-seed0", "sft-cold_start"])
def test_policies_that_choose_also_see_blank_images_on_the_test_splits(calls, policy):
    found = benchmark(policy, ASKED, SETTINGS, PROMPTS)
    assert [(images, choice) for images, choice, _ in calls] == [("real", True), ("blank", True)]
    assert calls[1][2] == {"test_in", "test_out"}
    assert {p.policy for p in found} == {policy, f"{policy}-blank"}


def test_a_planner_does_not_answer_the_open_form(calls):
    assert {p.policy for p in benchmark("sft-planning", ASKED, SETTINGS, PROMPTS)} == {"sft-planning"}
    assert len(calls) == 1


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"form": "free"}', '{"form": []}'])
def test_damaged_settings_of_a_policy_name_the_file(monkeypatch, tmp_path, content):
    (tmp_path / "sft-cot").mkdir()
    (tmp_path / "sft-cot/settings.json").write_text(content)
    monkeypatch.setattr(paths, "MODELS", tmp_path)
    with pytest.raises(RecordError, match=r"sft-cot/settings\.json: form: .*train this policy again"):
        answer_form("sft-cot")


def test_questions_without_an_image_are_counted_and_stop_nothing(calls, capsys):
    asked = [dataclasses.replace(ASKED[0], image="lost.png"), *ASKED[1:]]
    found = benchmark("base", asked, SETTINGS, PROMPTS)
    assert {p.id for p in found} == {one.id for one in ASKED[1:]}
    assert "base: 1 questions are left out; the first has no readable image: lost.png" in capsys.readouterr().out
