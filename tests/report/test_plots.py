"""`dvc plots show` on training logs, in a repository of its own with this one's plots."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import yaml

from robotr1 import paths
from robotr1.report.results import read_training_logs
from robotr1.report.tables import training_table

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
    table = training_table(SimpleNamespace(training=read_training_logs(tmp_path / "models")))
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
