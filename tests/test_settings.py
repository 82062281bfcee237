import dataclasses
from pathlib import Path

import pytest
import yaml

from robotr1 import paths, profiles, settings


def params(tmp_path, change=None):
    content = yaml.safe_load(paths.PARAMS.read_text())
    if change:
        change(content)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def test_committed_params_load_and_every_section_is_frozen():
    loaded = settings.load_settings()
    assert list(loaded) == list(settings.SECTIONS)
    for section in loaded.values():
        with pytest.raises(dataclasses.FrozenInstanceError):
            section.seed = 1


@pytest.mark.parametrize("profile", profiles.profiles())
def test_every_profile_composes_into_valid_settings(tmp_path, profile):
    profiles.compose(profile, tmp_path / "params.yaml")
    loaded = settings.load_settings(tmp_path / "params.yaml")
    assert list(yaml.safe_load((tmp_path / "params.yaml").read_text())) == ["seed", *loaded]
    train = loaded["extract_demos"].demos_per_train_task
    questions = loaded["build_questions"]
    assert train > questions.validation_episodes + questions.test_episodes, "some episodes remain to train on"


def test_committed_params_are_the_laptop_profile_byte_for_byte(tmp_path, committed):
    profiles.compose("laptop", tmp_path / "params.yaml")
    same = (tmp_path / "params.yaml").read_bytes() == (committed / "params.yaml").read_bytes()
    assert same, "run `python -m robotr1.profiles laptop` and commit"


def test_one_seed_reaches_every_stage(tmp_path):
    profiles.compose("laptop", tmp_path / "params.yaml", ["seed=7"])
    loaded = settings.load_settings(tmp_path / "params.yaml")
    assert {section.seed for section in loaded.values() if hasattr(section, "seed")} == {7}


def test_paper_profile_states_what_the_paper_states(tmp_path):
    profiles.compose("paper", tmp_path / "params.yaml")
    paper = settings.load_settings(tmp_path / "params.yaml")
    demos, questions, rl = paper["extract_demos"], paper["build_questions"], paper["train_grpo"]
    assert len(demos.train_tasks) == 5
    assert demos.demos_per_train_task - questions.validation_episodes - questions.test_episodes == 50
    assert (demos.image_size, questions.options, questions.decimals) == (224, 4, 3)
    assert (rl.prompts_per_step, rl.num_generations, rl.temperature) == (128, 5, 1.0)
    assert (rl.learning_rate, rl.weight_decay) == (1e-6, 1e-2)
    assert paper["finetune_sft"].learning_rate == 1e-5


def test_policies_are_named_as_their_folders():
    section = settings.check_section("policies", {"forms": ["cot"], "algorithms": ["grpo", "rloo"], "seeds": [0, 1]})
    assert section.trained == ["sft-cot", "grpo-seed0", "grpo-seed1", "rloo-seed0", "rloo-seed1"]


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("train_grpo", "stepps", 3, r"train_grpo\.stepps: unknown; the fields are .*steps"),
        ("train_grpo", "steps", "many", r"train_grpo\.steps: got 'many' \(str\), expected int"),
        ("train_grpo", "steps", 2.0, r"train_grpo\.steps: got 2\.0 \(float\), expected int"),
        ("train_grpo", "steps", 0, r"train_grpo\.steps: got 0, expected at least 1"),
        ("train_grpo", "top_p", 1.5, r"train_grpo\.top_p: got 1\.5, expected between 0\.01 and 1"),
        ("train_grpo", "loss_type", "ppo", r"train_grpo\.loss_type: got 'ppo', expected one of .*grpo"),
        ("build_questions", "types", ["state", "colour"], r"build_questions\.types\[1\]: got 'colour'"),
        (
            "extract_demos",
            "train_tasks",
            "pick_up_cup",
            r"train_tasks: got 'pick_up_cup' \(str\), expected list\[str\]",
        ),
        ("extract_demos", "source", "recorded", r"extract_demos\.recorded_folder: empty"),
        ("extract_demos", "held_out_tasks", ["pick_up_cup"], r"held_out_tasks: pick_up_cup also in train_tasks"),
    ],
)
def test_bad_values_are_named_with_file_section_and_fix(tmp_path, section, key, value, message):
    path = params(tmp_path, lambda content: content[section].update({key: value}))
    with pytest.raises(settings.SettingsError, match=r"params\.yaml: .*" + message):
        settings.load_settings(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train_grpo: [1, 2", "params.yaml is not YAML"),
        ("seed: 0\nseed: 1", "'seed' is there twice"),
        ("- 1", "expected sections"),
        ("seed: 0\ntrain_grop: {}", "unknown section 'train_grop'"),
        ("seed: 0", "section policies is missing"),
    ],
)
def test_unreadable_params_say_why(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(settings.SettingsError, match=message):
        settings.load_settings(path)


def test_missing_params_say_how_to_get_them(tmp_path):
    with pytest.raises(settings.SettingsError, match="git checkout"):
        settings.load_settings(tmp_path / "params.yaml")


def test_integers_and_bare_exponents_are_floats_where_a_float_is_wanted(tmp_path):
    path = Path(tmp_path / "params.yaml")
    path.write_text(paths.PARAMS.read_text().replace("stopping_delta: 0.1", "stopping_delta: 1e-3"))
    assert settings.load_settings(path)["design_metadata"].stopping_delta == 0.001
    path.write_text(paths.PARAMS.read_text().replace("stopping_delta: 0.1", "stopping_delta: 1"))
    assert type(settings.load_settings(path)["design_metadata"].stopping_delta) is float


def test_a_notebooks_variables_become_the_section():
    variables = {"stopping_delta": 0.1, "frame_interval": 10, "in_prompt": ["axes"], "np": object(), "_": 3}
    section = settings.from_notebook("design_metadata", variables)
    assert section == settings.DesignMetadata(stopping_delta=0.1, frame_interval=10, in_prompt=["axes"])
    with pytest.raises(settings.SettingsError, match="parameters cell: design_metadata.frame_interval: missing"):
        settings.from_notebook("design_metadata", {"stopping_delta": 0.1, "in_prompt": []})


def test_an_unknown_profile_is_refused(tmp_path):
    with pytest.raises(settings.SettingsError, match="the profiles are ci, gpu, laptop, paper"):
        profiles.compose("laptopp", tmp_path / "params.yaml")
    assert list(tmp_path.iterdir()) == []
