"""Variants of questions differ from the study's in the intended fields and in nothing else."""

from dataclasses import replace

import pytest
from synthetic_demos import write_synthetic

from robotr1 import paths
from robotr1.ablation import variants
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.keyframes import keyframes_of
from robotr1.metadata import design_metadata
from robotr1.questions.build import build_questions
from robotr1.questions.forms.build import other_forms
from robotr1.records import write_records
from robotr1.settings import load_settings


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Questions about synthetic demonstrations in patched paths, and their settings."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("study")
        patch.setattr(paths, "ROOT", root)
        patch.setattr(paths, "DEMOS", root / "demos")
        patch.setattr(paths, "KEYFRAMES", root / "keyframes.jsonl")
        for task, count in (("pick_up_cup", 12), ("lamp_on", 3)):
            for number in range(count):
                write_synthetic(root / "demos", task, number)
        episodes = [read_episode(folder) for folder in list_episodes(paths.DEMOS)]
        keyframes = keyframes_of(episodes)
        write_records(paths.KEYFRAMES, keyframes)
        small = {"held_out_tasks": ["lamp_on"], "validation_episodes": 3, "test_episodes": 3}
        settings = replace(load_settings()["build_questions"], **small)
        splits = build_questions(episodes, keyframes, settings)
        yield [question for split in splits.values() for question in split], settings


def test_the_study_s_own_strategy_changes_nothing(study):
    questions, settings = study
    assert variants.with_distractors(questions, settings.distractors, settings) == questions


def test_other_distractors_change_waypoint_options_and_nothing_else(study):
    questions, settings = study
    others = variants.with_distractors(questions, "same_episode", settings)
    assert len(others) == len(questions)
    for old, new in zip(questions, others, strict=True):
        if old.type != "waypoint":
            assert new == old
            continue
        told = {"options": old.options, "answer": old.answer, "prompt": old.prompt}
        assert replace(new, **told) == old
        assert new.options["ABCD".index(new.answer)] == old.options["ABCD".index(old.answer)]
        assert all(option in new.prompt for option in new.options)
    changed = sum(a.options != b.options for a, b in zip(questions, others, strict=True) if a.type == "waypoint")
    assert changed > 0.9 * sum(q.type == "waypoint" for q in questions)


def test_an_unknown_strategy_is_named(study):
    with pytest.raises(ValueError, match="distractors: got 'guessed', expected one of"):
        variants.with_distractors(*study[:1], "guessed", study[1])


def test_paired_options_are_no_variant(study):
    questions, settings = study
    with pytest.raises(ValueError, match="questions of their own"):
        variants.with_distractors(questions, "paired", settings)
    with pytest.raises(ValueError, match="questions of their own"):
        variants.with_distractors([replace(questions[0], set="a")], "uniform", settings)


def test_metadata_change_the_prompt_and_nothing_else(study, make_episode):
    questions, settings = study
    scene = design_metadata([read_episode(make_episode())])
    scenes = {"pick_up_cup": scene, "lamp_on": scene}
    told = variants.with_metadata(questions, ["axes"], settings, scenes)
    for old, new in zip(questions, told, strict=True):
        assert replace(new, prompt=old.prompt) == old
        assert new.prompt != old.prompt and all(option in new.prompt for option in new.options)
    assert variants.with_metadata(questions, [], settings, scenes) == questions


def test_open_variants_are_those_of_waypoint_and_state_questions(study, tmp_path):
    questions, settings = study
    splits = {split: [q for q in questions if q.split == split] for split in ("train", *variants.SPLITS)}
    for split, rows in other_forms(splits, [], replace(settings, forms=["open"]))["open"].items():
        write_records(tmp_path / f"open_{split}.jsonl", rows)
    held_out = [question for question in questions if question.split != "train"]
    opened = variants.as_open(held_out, tmp_path)
    assert {q.type for q in opened} == {"waypoint", "state"}
    assert len(opened) == sum(q.type != "movement" for q in held_out)
    assert not any(option in q.prompt for q in opened for option in q.options)
