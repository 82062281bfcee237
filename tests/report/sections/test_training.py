"""The training section: the seeds' table, and `dvc plots show` on training logs with this repository's plots."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import yaml
from synthetic_study import completions, questions, results_of

from robotr1 import paths
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.report.sections.training import seeds_table, training_frame
from robotr1.report.study import read_training_logs

ENTRY = {
    "reward": 1.5,
    "accuracy": 0.5,
    "length": 20.0,
    "zero_std": 0.25,
    "truncated": 0.0,
    "entropy": 0.7,
    "loss": 0.1,
}
PLOTS = [plot for plot in yaml.safe_load((paths.ROOT / "dvc.yaml").read_text())["plots"] if isinstance(plot, dict)]
CURVES = [plot for plot in PLOTS if next(iter(plot.values()))["template"] == "curves"]


def test_every_curve_of_the_models_logs_is_drawn(tmp_path):
    for name, own in (("grpo-seed0", {"kl": 0.01}), ("grpo-seed1", {}), ("sft-cot", {"token_accuracy": 0.9})):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        steps = [{"step": step, **ENTRY, **own} for step in range(1, 4)]
        (folder / "log.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    study = SimpleNamespace(training=read_training_logs(tmp_path / "models"))
    table = training_frame(SimpleNamespace(study=study))
    (tmp_path / "reports/tables").mkdir(parents=True)
    table.to_csv(tmp_path / "reports/tables/training.csv", index=False)
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"plots": CURVES}))
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "-q", "--no-scm"], cwd=tmp_path, check=True, capture_output=True)
    shutil.copytree(paths.ROOT / ".dvc/plots", tmp_path / ".dvc/plots", dirs_exist_ok=True)
    done = subprocess.run([*dvc, "plots", "show", "--json"], cwd=tmp_path, check=True, capture_output=True, text=True)
    shown = json.loads(done.stdout)
    assert not shown.get("errors")
    assert set(shown["data"]) == {name for plot in CURVES for name in plot}
    columns = {source for plot in CURVES for settings in plot.values() for source in settings["y"].values()}
    assert columns == {"reward", "accuracy", "zero_std", "length", "truncated", "entropy", "kl", "loss"}
    for drawn in shown["data"].values():
        (vega,) = drawn
        points = vega["content"]["data"]["values"]
        assert len(points) == 9
        assert {point["policy"] for point in points} == {"grpo-seed0", "grpo-seed1", "sft-cot"}


def test_seeds_are_pooled_and_their_range_is_given():
    asked = questions(episodes=2, splits={"test_in": ["push_button"]})
    rng = np.random.default_rng(0)
    skills = {"base": 0.1, "grpo-seed0": 0.9, "grpo-seed1": 0.5}
    found = [p for name, skill in skills.items() for p in evaluate(name, asked, completions(asked, skill, rng))]
    row = seeds_table(results_of(found, asked)).iloc[0]
    each = [100 * np.mean([p.correct for p in found if p.policy == f"grpo-seed{seed}"]) for seed in (0, 1)]
    assert (row["algorithm"], row["seeds"]) == ("GRPO", "2")
    assert row["all seeds, over episodes"].startswith(f"{np.mean(each):.1f} [")
    assert row["lowest to highest seed"] == f"{min(each):.1f} to {max(each):.1f}"
    assert row["deviation of seeds"] == f"{np.std(each, ddof=1):.1f}"
