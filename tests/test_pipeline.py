"""dvc.yaml against the code it runs, and one run of the whole graph on the smallest profile."""

import json
import re
import subprocess
import sys
from pathlib import Path

import import_graph
import pytest
import yaml
from small_study import clean_environment, copy_of_repository, dvc

from robotr1 import paths, settings

DVC = yaml.safe_load((paths.ROOT / "dvc.yaml").read_text())["stages"]
MODULE_STAGES = {"fetch_panda", "pretrain_tiny"}  # the others run a notebook


def program(stage):
    """What a stage runs: its notebook, or its module."""
    words = DVC[stage]["cmd"].split()
    assert words[:2] == ["python", "-m"]
    if words[2] == "robotr1.notebook":
        return next(paths.NOTEBOOKS.glob(f"[0-9][0-9]_{words[3]}.ipynb"), None) or words[3]
    return words[2]


def imported(stage):
    runs = program(stage)
    if isinstance(runs, Path):
        return import_graph.notebook_closure(runs)
    return import_graph.module_closure(runs) if runs.startswith("robotr1.") else set()


def outputs(stage, kinds=("outs", "metrics")):
    listed = [out for kind in kinds for out in DVC[stage].get(kind, [])]
    return {next(iter(out)) if isinstance(out, dict) else out: out for out in listed}


@pytest.mark.parametrize("stage", DVC)
def test_deps_are_the_modules_that_the_stage_imports(stage):
    needed = {paths.relative(path) for path in imported(stage)}
    assert needed, f"the program of {stage} is missing or imports nothing"
    listed = {dep for dep in DVC[stage]["deps"] if dep.startswith("robotr1/")}
    missing = {path for path in needed if not any(path == dep or path.startswith(f"{dep}/") for dep in listed)}
    unused = {dep for dep in listed if not any(path == dep or path.startswith(f"{dep}/") for path in needed)}
    assert not missing, f"{stage} imports these; add them to its deps in dvc.yaml"
    assert not unused, f"{stage} does not import these; take them out of its deps in dvc.yaml"
    assert all((paths.ROOT / dep).exists() for dep in listed)


@pytest.mark.parametrize("stage", sorted(MODULE_STAGES))
def test_these_stages_run_a_module(stage):
    assert import_graph.module_path(program(stage))
    assert not DVC[stage].get("params"), "their settings are constants of the module"


@pytest.mark.parametrize("stage", sorted(set(DVC) - MODULE_STAGES))
def test_a_stage_depends_on_its_notebook_and_on_its_section(stage):
    notebook = program(stage)
    assert isinstance(notebook, Path), f"notebooks/NN_{stage}.ipynb is missing"
    assert paths.relative(notebook) in DVC[stage]["deps"]
    assert stage in DVC[stage]["params"]
    assert set(DVC[stage]["params"]) <= set(settings.SECTIONS)
    assert any(out.startswith(f"reports/notebooks/{notebook.stem}") for out in outputs(stage))
    assert any(out.startswith(f"reports/metrics/{stage}") for out in outputs(stage))


@pytest.mark.parametrize("stage", DVC)
def test_sections_that_a_stage_reads_are_among_its_params(stage):
    runs = program(stage)
    files = [*imported(stage), *([runs] if isinstance(runs, Path) else [])]
    code = "".join(file.read_text() for file in files).replace("\\", "")
    read = set(re.findall(r'(?:load_settings|read_params)\(\)\["(\w+)"\]', code))
    assert read <= set(DVC[stage].get("params", [])), f"add these to the params of {stage} in dvc.yaml"


def test_dvc_prints_the_headline_alone():
    """Every number of every stage side by side is a table of hundreds of columns that nobody reads."""
    assert [path for stage in DVC for path in outputs(stage, ["metrics"])] == ["reports/metrics/headline.json"]


def test_every_section_belongs_to_a_stage():
    assert set(settings.SECTIONS) - {"policies"} <= set(DVC)


@pytest.mark.parametrize("stage", DVC)
def test_what_a_reader_sees_is_in_git(stage):
    for path, out in outputs(stage).items():
        cached = not (isinstance(out, dict) and out[path].get("cache") is False)
        assert cached == path.startswith(("data/", "models/")) or path == "data/predictions", path
        ignored = subprocess.run(["git", "check-ignore", "-q", path], cwd=paths.ROOT, check=False).returncode == 0
        assert ignored == cached, f"{path}: .gitignore and `cache: false` disagree"


def test_no_stage_reads_an_executed_notebook():
    for stage in DVC.values():
        assert not any(dep.startswith("reports/notebooks") for dep in stage["deps"])


def test_pycache_is_no_dependency():
    assert "__pycache__" in (paths.ROOT / ".dvcignore").read_text().split()


def test_dvc_reads_the_pipeline_and_the_matrix_follows_the_profile(tmp_path):
    root = copy_of_repository(tmp_path)
    names = set(dvc(root, "stage", "list", "--name-only").split())
    assert {"extract_demos", "finetune_sft@direct", "finetune_sft@cot", "train_grpo@grpo-0"} <= names
    run_profile(root, "paper")
    names = set(dvc(root, "stage", "list", "--name-only").split())
    assert {"train_grpo@rloo-2", "train_grpo@reinforce_plus_plus-1"} <= names


def run_profile(root, profile):
    subprocess.run(
        [sys.executable, "-m", "robotr1.profiles", profile], cwd=root, env=clean_environment(root), check=True
    )


def test_a_fresh_clone_is_not_modified(committed):
    """The files in git are those of dvc.lock; only outputs in DVC's cache may be absent."""
    changes = json.loads(dvc(committed, "status", "--json"))
    modified = {
        (stage, kind, name)
        for stage, found in changes.items()
        for change in found
        for kind, names in (change.items() if isinstance(change, dict) else [(change, {"": "modified"})])
        for name, state in names.items()
        if state not in ("deleted", "not in cache")
    }
    assert not modified, "run `dvc repro` and commit dvc.lock with what it made"


def test_results_name_no_machine_paths(committed):
    """Committed results look the same from another machine, and from another run on this one."""
    results = [file for name in ("reports", "data/predictions") for file in (committed / name).rglob("*.*")]
    machine = re.compile(rb"(?<![\w.])/(?:tmp|root|home|Users|work)/")
    assert results
    assert not [file.name for file in results if file.suffix != ".png" and machine.search(file.read_bytes())]


@pytest.mark.slow
def test_the_whole_study_runs_on_the_ci_profile(small_study):
    params = yaml.safe_load((small_study / "params.yaml").read_text())
    assert params["train_grpo"]["steps"] < 10, "-S profile=ci composed the ci profile"
    for stage in DVC:
        for path in outputs(stage):
            if path.startswith("reports/metrics/") and "${" not in path:
                json.loads((small_study / path).read_text())
    assert "<html" in (small_study / "reports/report.html").read_text()
    assert list((small_study / "reports/figures").glob("*.png"))
    assert not list(small_study.rglob("*.part*"))

    overview = [sys.executable, "-m", "robotr1.notebook", "overview"]
    subprocess.run(overview, cwd=small_study, env=clean_environment(small_study), check=True)

    assert "up to date" in dvc(small_study, "repro"), "a second run does nothing"
    assert "up to date" in dvc(small_study, "status")
