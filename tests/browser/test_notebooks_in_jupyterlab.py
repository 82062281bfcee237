"""Every notebook in a real JupyterLab: all cells run in Chromium, nothing fails, and the figures are there to be seen.

The notebooks run one after the other on the ci profile in a throw-away copy of the repository, each on what those
before it made. So nothing but the repository is needed, and the robot's meshes, which the first notebook fetches where
they are missing. What a student would see stays in .pytest_cache/d/notebooks/*.png. `make test-browser` runs this.
"""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from robotr1 import ipynb, paths

NOTEBOOKS = sorted(path.name for path in paths.NOTEBOOKS.glob("*.ipynb"))
DRAWS = re.compile(r"^(plt\.show\(\)|fig, \w+ = plt\.subplots\()", re.MULTILINE)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def figures(cell):
    data = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L")) for png in data]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_runs_and_every_figure_is_drawn(run_notebook, name):
    for number, cell in enumerate(code_cells(run_notebook(name)), start=1):
        failed = [f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error"]
        assert not failed, cell.source
        assert cell.execution_count == number, f"never ran, or not in its turn:\n{cell.source}"
        assert all(np.ptp(figure) > 100 for figure in figures(cell)), f"an empty figure:\n{cell.source}"
        assert figures(cell) or not DRAWS.search(cell.source), f"no figure:\n{cell.source}"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_warns(run_notebook, name):
    """Progress bars are all that may stand on the red ground of stderr."""
    outputs = [output for cell in code_cells(run_notebook(name)) for output in cell.outputs]
    said = "".join(output.text for output in outputs if output.get("name") == "stderr")
    assert "Warning" not in said, said


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_saving_leaves_the_file_as_git_and_dvc_know_it(run_notebook, copy, name):
    run_notebook(name)
    saved = copy / "notebooks" / name
    assert saved.read_text() == ipynb.dumps(ipynb.canonical(ipynb.read(saved)))
    assert not any(cell.outputs for cell in code_cells(ipynb.read(saved)))


def test_only_the_copy_changes(run_notebook, copy):
    run_notebook(NOTEBOOKS[-1])
    report = "reports/report.html"
    assert (copy / report).stat().st_mtime > (paths.ROOT / report).stat().st_mtime, "the copy's own report"
    assert not any(cell.outputs for name in NOTEBOOKS for cell in code_cells(ipynb.read(paths.NOTEBOOKS / name)))
