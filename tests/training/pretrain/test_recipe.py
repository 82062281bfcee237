import subprocess
import sys

import numpy as np
import pytest
import torch

from robotr1 import paths
from robotr1.policies import tiny
from robotr1.training.pretrain import recipe


def test_a_stage_that_has_run_is_loaded_not_run(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "FOLDER", tmp_path)
    model, runs = tiny.build_model(tokenizer), []

    def match(rng, log):
        runs.append(rng.integers(100))
        with torch.no_grad():
            model.lm_head.weight.fill_(0.5)
        log(step=1)

    recipe.run_stage(match, recipe.LANGUAGE, model, np.random.default_rng(0))
    other = tiny.build_model(tokenizer, seed=5)
    recipe.run_stage(match, recipe.LANGUAGE, other, np.random.default_rng(0))
    assert len(runs) == 1
    assert torch.equal(other.lm_head.weight, model.lm_head.weight)


def test_a_stage_stopped_midway_keeps_its_log(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "FOLDER", tmp_path)
    model = tiny.build_model(tokenizer)

    def see(rng, log):
        log(step=1)
        if not (tmp_path / "see_state.pt").exists():
            (tmp_path / "see_state.pt").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe.run_stage(see, recipe.VISION, model, np.random.default_rng(0))
    recipe.run_stage(see, recipe.VISION, model, np.random.default_rng(0))
    assert len((tmp_path / "see.jsonl").read_text().splitlines()) == 2


def test_stages_of_another_recipe_are_not_reused(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "FOLDER", tmp_path / "pretrain_tiny")
    stage = tmp_path / "pretrain_tiny/see.pt"
    for chosen, left in (
        (recipe.Recipe(), False),
        (recipe.Recipe(), True),
        (recipe.Recipe(match_steps=3), False),
        (recipe.Recipe(match_steps=3), True),
        (recipe.Recipe(seed=1, match_steps=3), False),
    ):
        stage.parent.mkdir(exist_ok=True)
        stage.write_text("weights")
        recipe.remove_stages_of_another_recipe(chosen)
        assert stage.exists() == left


def test_the_command_has_the_stages_of_the_recipe():
    command = [sys.executable, "-m", "robotr1.training.pretrain", "--help"]
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(stage in done.stdout for stage in recipe.STAGES)
