"""make in folders whose names hold spaces and quotes; a stand-in for Python records what it is called with."""

import os
import shutil
import stat
import subprocess

import pytest

from robotr1 import paths

STAND_IN = """#!/bin/sh
for argument; do printf '%s|' "$argument" >> "{log}"; done
echo >> "{log}"
"""


@pytest.fixture(params=["plain", "my work/robotr1", "it's (a copy) & more/robotr1"])
def folder(request, tmp_path):
    if not shutil.which("make"):
        pytest.skip("no make here")
    folder = tmp_path / request.param
    (folder / "notebooks").mkdir(parents=True)
    (folder / "experiments/ablation").mkdir(parents=True)
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(paths.ROOT / name, folder / name)
    return folder


def put_python(place, log):
    (place / "bin").mkdir(parents=True)
    python = place / "bin/python"
    python.write_text(STAND_IN.format(log=log))
    python.chmod(python.stat().st_mode | stat.S_IXUSR)


def make(folder, *arguments, **variables):
    """Run make; return the calls of Python since the last time, as lists of arguments."""
    log = folder / "calls.log"
    log.unlink(missing_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)} | variables
    done = subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split("|")[:-1] for line in log.read_text().splitlines()] if log.exists() else []


def test_every_target_runs_in_any_folder(folder):
    put_python(folder / ".venv", folder / "calls.log")
    python = str(folder / ".venv/bin/python")
    calls = make(folder, "setup")
    assert ["-m", "pip", "install", "-r", "requirements.txt"] in calls
    assert ["-m", "pip", "install", "torch==2.13.0"] in calls
    assert calls[-1] == ["-m", "pip", "install", "--quiet", "--no-deps", "--editable", "."]
    assert make(folder, "setup") == [], "nothing is installed twice"
    assert make(folder, "renderer") == [["-m", "robotr1.demos.tabletop.gl"]]
    assert ["-m", "dvc", "repro"] in make(folder, "study")
    assert make(folder, "ablation").count(["-m", "dvc", "repro"]) == 2
    workers = ["--numprocesses", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]
    assert make(folder, "test")[-1] == ["-m", "pytest", *workers]
    assert make(folder, "lint") == [["-m", "ruff", "check", "."], ["-m", "ruff", "format", "--check", "."]]
    (lab,) = make(folder, "notebooks")
    assert lab[:5] == ["-m", "robotr1.kernel", python, "-m", "jupyterlab"]
    assert "--ContentsManager.pre_save_hook=robotr1.ipynb.canonical_on_save" in lab
    assert make(folder, "experiments")[0][:4] == ["-m", "dvc", "exp", "show"]


def test_conda_environments_may_lie_anywhere(folder):
    prefix = folder / "my conda/envs/robotr1"
    put_python(prefix, folder / "calls.log")
    conda = {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": "robotr1"}
    assert ["-m", "pip", "install", "-r", "requirements.txt"] in make(folder, "setup", **conda)
    assert (prefix / ".robotr1-installed").exists()
    assert make(folder, "setup", **conda) == []
    assert not (folder / ".venv").exists()


def test_an_old_python_is_refused_by_name(folder):
    old = folder / "old python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.1 && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={old}"], cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stdout and "Python 3.8.1" in done.stdout
