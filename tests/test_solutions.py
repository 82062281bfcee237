"""Every notebook has three exercises with a hint each, and a solution file whose every answer runs."""

import re
import subprocess
import sys

import pytest
from small_study import clean_environment

from robotr1 import ipynb, paths

SOLUTIONS = sorted((paths.NOTEBOOKS / "solutions").glob("*.py"))
SOLVED = [path.stem for path in SOLUTIONS]
each = pytest.mark.parametrize("stem", SOLVED)


def last_cell(stem):
    return ipynb.read(paths.NOTEBOOKS / f"{stem}.ipynb").cells[-1].source


def test_the_way_through_the_study_is_solved():
    notebooks = sorted(path.stem for path in paths.NOTEBOOKS.glob("0[0-8]_*.ipynb"))
    assert len(notebooks) == 9
    assert set(notebooks) <= set(SOLVED)


@each
def test_three_exercises_each_with_a_hint(stem):
    exercises = re.split(r"^(\d)\. ", last_cell(stem).partition("ercises")[2], flags=re.MULTILINE)[1:]
    assert exercises[::2] == ["1", "2", "3"]
    assert all(text.count("*Hint: ") == 1 for text in exercises[1::2])
    assert f"(solutions/{stem}.py)" in exercises[-1]


@each
def test_a_solution_answers_every_exercise(stem):
    source = (paths.NOTEBOOKS / "solutions" / f"{stem}.py").read_text()
    assert re.findall(r'^    """(\d)\. ', source, re.MULTILINE) == ["1", "2", "3"]


@pytest.mark.slow
@each
def test_a_solution_runs(stem, small_study):
    """As a student runs it, on the data of a small study; the study's own files stay as they are."""
    folders = [small_study / name for name in ("models", "data/questions", "data/demos")]
    before = {path: path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")}
    program = small_study / "notebooks/solutions" / f"{stem}.py"
    environment = clean_environment(small_study)
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert before == {path: path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")}
