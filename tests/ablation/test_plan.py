import subprocess

import import_graph
import pytest
import yaml

from robotr1 import paths, settings
from robotr1.ablation import plan

STAGES = yaml.safe_load((plan.FOLDER / "dvc.yaml").read_text())["stages"]
STUDY = settings.load_settings()


def staged():
    return [run for name in ("reference", "trained") for run in STAGES[name]["matrix"]["run"]] + ["cold_start_grpo"]


def test_every_run_has_its_stage_and_can_be_set_up():
    runs = plan.read_plan()["runs"]
    assert sorted(staged()) == sorted(runs)
    for name, run in runs.items():
        chosen = plan.section_of(run, STUDY, 2)
        assert (chosen is None) == (name in STAGES["reference"]["matrix"]["run"])
        if chosen is not None:
            assert chosen.seed == 2
            assert all(getattr(chosen, key) == value for key, value in run.changes.items())


def test_only_the_compared_setting_differs():
    """Each reinforced run differs from plain GRPO in one point."""
    runs = plan.read_plan()["runs"]
    changes = {
        name: {key for key in run.changes if run.changes[key] != runs["grpo"].changes.get(key)}
        for name, run in runs.items()
        if run.section == "train_grpo"
    }
    assert changes == {
        "grpo": set(),
        "rloo": {"algorithm"},
        "reinforce_plus_plus": {"algorithm"},
        "waypoint": {"types"},
        "waypoint_state": {"types"},
        "open": {"form", "types"},
        "consistency": {"consistency_weight"},
        "same_episode": set(),
        "metadata": set(),
        "cold_start_grpo": {"max_completion_length"},
    }


def test_the_cold_start_is_that_of_the_same_seed():
    run = plan.read_plan()["runs"]["cold_start_grpo"]
    assert plan.section_of(run, STUDY, 1).start == "experiments/ablation/models/cold_start-1"
    assert "models/cold_start-${item.seed}" in STAGES["from_cold_start"]["deps"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{section: train_grpo, changes: {stepz: 3}}", "stepz"),
        ("{section: train_grpo, change: {}}", "runs.mine.change"),
        ("{section: pretrain}", "runs.mine.section"),
        ("{section: train_grpo, in_prompt: [smell]}", "smell"),
    ],
)
def test_an_invalid_run_is_named(tmp_path, line, says):
    (tmp_path / "params.yaml").write_text(f"seeds: [0]\nruns:\n  mine: {line}\n")
    with pytest.raises(settings.SettingsError, match=says):
        plan.section_of(plan.read_plan(tmp_path)["runs"]["mine"], STUDY, 0)


def test_deps_are_modules_that_exist_and_are_imported():
    for stage in STAGES.values():
        module = "robotr1.ablation.report" if stage["cmd"].endswith("report") else "robotr1.ablation.__main__"
        needed = {paths.relative(path) for path in import_graph.module_closure(module)}
        listed = [dep.removeprefix("../") for dep in stage["deps"] if dep.startswith("../robotr1/")]
        for dep in listed:
            if not list((paths.ROOT / dep).glob("*.py")) and not dep.endswith(".py"):
                assert list((paths.ROOT / dep).glob("*.csv")), dep  # the paper's tables
                continue
            assert any(path == dep or path.startswith(f"{dep}/") for path in needed), dep


def test_the_study_does_not_depend_on_the_ablation():
    assert (plan.FOLDER / ".dvc/config").is_file(), "a DVC project of its own"
    study = (paths.ROOT / "dvc.yaml").read_text()
    assert study.count("ablation") == study.count("experiments/ablation/metrics/report.json #") == 1, "only its results"
    for path in (
        "experiments/ablation/models/grpo-0",
        "experiments/ablation/predictions/grpo-0",
        "experiments/ablation/.dvc/cache",
    ):
        assert subprocess.run(["git", "check-ignore", "-q", path], cwd=paths.ROOT, check=False).returncode == 0, path
