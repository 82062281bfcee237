"""Every notebook in notebooks/: canonical, output-free, its parameters those of params.yaml, its cells short."""

import ast
import dataclasses
import hashlib
import re
import statistics
from pathlib import Path

import pytest
import yaml

from robotr1 import ipynb, paths, profiles, settings

NOTEBOOKS = sorted(paths.NOTEBOOKS.glob("*.ipynb"))
LONGEST_CELL = 16  # lines
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def stages_of(root):
    return yaml.safe_load((root / "dvc.lock").read_text())["stages"]


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def only_imports(cell):
    return all(isinstance(line, (ast.Import, ast.ImportFrom)) for line in ast.parse(cell.source).body)


def test_there_is_one_notebook_per_stage():
    stages = yaml.safe_load((paths.ROOT / "dvc.yaml").read_text())["stages"]
    by_dvc = {cmd.split()[3] for stage in stages.values() if "robotr1.notebook" in (cmd := stage["cmd"])}
    assert {path.stem[3:] for path in NOTEBOOKS} == by_dvc | {"overview"}
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{i:02d}" for i in range(len(NOTEBOOKS))]


@each
def test_committed_form_is_canonical_and_output_free(path):
    text = ipynb.dumps(ipynb.canonical(ipynb.read(path)))
    assert path.read_bytes() == text.encode(), f"run `python -m robotr1.notebook --canonical {paths.relative(path)}`"


@each
def test_parameters_are_those_of_the_laptop_profile(path, tmp_path):
    """params.yaml is the composed laptop profile, unless an experiment changed it."""
    profiles.compose("laptop", tmp_path / "params.yaml")
    stated = ipynb.parameters(ipynb.read(path))
    section = path.stem[3:]
    if section not in settings.SECTIONS:
        assert not stated
        return
    expected = dataclasses.asdict(settings.load_settings(tmp_path / "params.yaml")[section])
    assert list(stated) == list(settings.read_params(tmp_path / "params.yaml")[section]), "same names in the same order"
    assert stated == expected
    assert [type(value) for value in stated.values()] == [type(value) for value in expected.values()]


@each
def test_parameters_are_typed(path):
    cell = next((cell for cell in code_cells(ipynb.read(path)) if "parameters" in cell.metadata.get("tags", [])), None)
    for line in ast.parse(cell.source if cell else "").body:
        assert isinstance(line, ast.AnnAssign), f"write a type: {ast.unparse(line)}"
        kind = ast.unparse(line.annotation).partition("[")[0]
        value = ast.literal_eval(line.value)
        assert kind == type(value).__name__, ast.unparse(line)


@each
def test_starts_with_a_title_and_what_it_reads_and_writes(path):
    first = ipynb.read(path).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert all(word in first.source.lower() for word in ("reads", "writes", "takes"))


@pytest.mark.parametrize("path", NOTEBOOKS[1:], ids=lambda path: path.stem)  # the overview is no stage
def test_time_and_memory_are_those_that_were_measured(path):
    """Within a factor of two: machines differ, and a benchmark is not run for every change."""
    stated = re.search(r"Takes ([\d.]+) CPU (seconds|minutes) and ([\d.]+) GB", ipynb.read(path).cells[0].source)
    measured = (paths.ROOT / "performance/results/stage_times.md").read_text()
    rows = re.findall(rf"^\| {path.stem[3:]}\S* \|[^|]*\| (\d+) s \| (\d+) MB \|", measured, re.MULTILINE)
    assert stated and rows, "state the time in the title cell, and run performance/stage_times.py"
    seconds, gigabytes = float(stated[1]) * (60 if stated[2] == "minutes" else 1), float(stated[3])
    for cpu, memory in rows:
        assert 0.5 <= seconds / float(cpu) <= 2
        assert 0.5 <= 1000 * gigabytes / float(memory) <= 2


@each
def test_cells_are_short_and_explained(path):
    notebook = ipynb.read(path)
    shown = [cell for cell in code_cells(notebook) if not cell.metadata.get("tags") and not only_imports(cell)]
    lengths = [len(cell.source.splitlines()) for cell in shown]
    assert max(lengths) <= LONGEST_CELL
    assert statistics.median(lengths) <= 8
    words = {
        kind: sum(len(re.findall(r"\w+", cell.source)) for cell in notebook.cells if cell.cell_type == kind)
        for kind in ("code", "markdown")
    }
    assert words["markdown"] >= 0.6 * words["code"], "about as much prose as code"


@each
def test_no_machine_paths_and_no_working_directory(path):
    source = "\n".join(cell.source for cell in ipynb.read(path).cells)
    assert not re.search(r"/home/|/Users/|/tmp/|/root/|[A-Z]:\\\\", source)
    assert "getcwd" not in source
    assert "../" not in source, "paths come from robotr1.paths"


def test_the_executed_copies_are_those_that_the_stages_wrote(committed):
    """Every notebook stage has a copy in reports/ for each cell of its matrix. The overview is no stage: it may."""
    outs = [out["path"] for stage in stages_of(committed).values() for out in stage.get("outs", [])]
    written = {path for path in outs if path.startswith("reports/notebooks/")}
    copies = {path.relative_to(committed).as_posix() for path in (committed / "reports/notebooks").glob("*.ipynb")}
    sources = {path.stem for path in (committed / "notebooks").glob("*.ipynb")}
    assert {Path(path).stem.partition("-")[0] for path in written} == sources - {"00_overview"}
    assert copies - {"reports/notebooks/00_overview.ipynb"} == written


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS[1:]])
def test_an_executed_copy_shows_its_notebook(name, committed):
    """The copies have the cells of the committed source, apart from the values in force."""
    source = [cell.source for cell in ipynb.read(committed / f"notebooks/{name}.ipynb").cells]
    copies = sorted((committed / "reports/notebooks").glob(f"{name}*.ipynb"))
    assert copies
    for copy in copies:
        cells = [cell.source for cell in ipynb.read(copy).cells]
        if len(cells) == len(source) + 1:
            cells = [cell for cell in cells if not cell.startswith("# Parameters")]
        assert cells == source, f"{copy.name} is of an older version; run `dvc repro`"
        assert copy.read_bytes() == ipynb.dumps(ipynb.executed(ipynb.read(copy))).encode()


def test_dvc_lock_has_the_md5_of_the_files_in_git(committed):
    pipeline = yaml.safe_load((committed / "dvc.yaml").read_text())["stages"]
    frozen = {name for name, stage in pipeline.items() if stage.get("frozen")}
    for name, stage in stages_of(committed).items():
        for dep in stage.get("deps", []) if name not in frozen else []:  # its weights may be those of earlier code
            path = committed / dep["path"]
            if path.is_file() and not dep["path"].startswith(("data/", "models/")):
                md5 = hashlib.md5(path.read_bytes()).hexdigest()
                assert md5 == dep["md5"], f"{dep['path']} changed since {name} ran; run `dvc repro`"
