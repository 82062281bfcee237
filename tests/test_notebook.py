"""The notebook runner: what it passes, what it writes, what it calls a failure."""

import importlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import nbformat
import pytest

from robotr1 import ipynb, paths

PARAMETERS = "stopping_delta: float = 0.1\nframe_interval: int = 10\nin_prompt: list[str] = []"


def small_notebook(*sources, parameters=PARAMETERS):
    cells = [
        nbformat.v4.new_markdown_cell("# A small stage"),
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        *[nbformat.v4.new_code_cell(textwrap.dedent(source).strip()) for source in sources],
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture
def root(tmp_path):
    """A repository root with params.yaml and a design_metadata notebook to fill in."""
    (tmp_path / "params.yaml").write_text("design_metadata: {stopping_delta: 0.1, frame_interval: 10, in_prompt: []}")
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def put(root, *sources, **options):
    notebook = small_notebook(*sources, **options)
    (root / "notebooks/02_design_metadata.ipynb").write_text(nbformat.writes(notebook))


def start(root, *arguments, **options):
    environment = os.environ | {"ROBOTR1_ROOT": str(root), "PYTHONPATH": str(paths.ROOT)}
    command = [sys.executable, "-m", "robotr1.notebook", *arguments]
    return subprocess.Popen(
        command, env=environment, cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


def run(root, *arguments):
    process = start(root, *arguments)
    stdout, stderr = process.communicate(timeout=120)
    return process.returncode, stdout, stderr


EXECUTED = "reports/notebooks/02_design_metadata.ipynb"


def test_runs_with_the_sections_values_and_twice_gives_the_same_bytes(root):
    put(
        root,
        """
        import sys, time
        print("seen", stopping_delta, frame_interval, flush=True)
        time.sleep(0.05)
        print("a warning", file=sys.stderr, flush=True)
        print("again")
        """,
        """
        import matplotlib.pyplot as plt
        plt.plot([1, 2]); plt.show()
        {"a": 1}
        """,
        "import os; os.path.realpath(os.getcwd()) == os.path.realpath(os.environ['ROBOTR1_ROOT'])",
    )
    code, stdout, stderr = run(root, "design_metadata")
    assert code == 0, stderr
    assert "seen 0.1 10" in stdout.splitlines()
    assert "a warning" in stderr
    assert "A small stage" in stderr, "the section's heading shows where the run is"
    first = (root / EXECUTED).read_bytes()
    assert run(root, "02_design_metadata")[0] == 0
    assert (root / EXECUTED).read_bytes() == first

    notebook = nbformat.reads(first.decode(), as_version=4)
    assert notebook.metadata == {"kernelspec": ipynb.KERNELSPEC}
    assert [cell.id for cell in notebook.cells] == [f"cell-{i:02d}" for i in range(5)]
    printed, figure, where = notebook.cells[2:]
    assert printed.outputs == [{"output_type": "stream", "name": "stdout", "text": "seen 0.1 10\nagain\n"}]
    assert "image/png" in figure.outputs[0].data
    assert where.outputs[0].data["text/plain"] == "True"
    assert [json.loads(line)["stage"] for line in (root / ".stage_times.jsonl").open()] == ["design_metadata"] * 2


def test_overrides_are_checked_named_in_the_file_and_shown(root):
    put(root, "print(frame_interval)")
    code, _, stderr = run(root, "design_metadata", "--set", "frame_interval=2")
    assert code == 0, stderr
    notebook = ipynb.read(root / "reports/notebooks/02_design_metadata-frame_interval2.ipynb")
    assert "frame_interval = 2" in notebook.cells[2].source.splitlines()
    assert notebook.cells[3].outputs[0].text == "2\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_such_stage"], "unknown stage 'no_such_stage'; the stages are design_metadata"),
        (["design_metadata", "--set", "frame_intervall=2"], "design_metadata.frame_intervall: unknown"),
        (
            ["design_metadata", "--set", "frame_interval=two"],
            "design_metadata.frame_interval: got 'two' (str), expected int",
        ),
    ],
)
def test_unknown_names_are_errors(root, arguments, message):
    put(root, "1")
    code, _, stderr = run(root, *arguments)
    assert code == 1
    assert message in stderr
    assert "Traceback" not in stderr


def test_parameters_cell_must_name_what_params_yaml_names(root):
    put(root, "1", parameters=PARAMETERS + "\nstrict: bool = True")
    code, _, stderr = run(root, "design_metadata")
    assert code == 1
    assert "differ in {'strict'}" in stderr


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("raise ValueError('no such demo')", "ValueError: no such demo"),
        ("import sys; sys.exit(0)", "called sys.exit()"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import os; os._exit(0)", "died"),
    ],
)
def test_a_failing_cell_fails_the_stage_and_writes_nothing(root, cell, message):
    put(root, cell, "print('after')")
    code, stdout, stderr = run(root, "design_metadata")
    assert code != 0
    assert message in stderr
    assert "after" not in stdout
    assert not (root / "reports").exists() or not list((root / "reports").rglob("*.*"))


def test_interrupt_leaves_no_finished_looking_copy(root):
    put(root, "print('here', flush=True)\nimport time; time.sleep(60)")
    heed_interrupts = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # background jobs inherit deafness
    process = start(root, "design_metadata", start_new_session=True, preexec_fn=heed_interrupts)
    assert process.stdout.readline() == "here\n"
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert not (root / EXECUTED).exists()


def test_canonical_form_is_stable_and_output_free(tmp_path):
    notebook = small_notebook("x = 1   ", "")
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="1")]
    notebook.cells[2].execution_count = 7
    notebook.cells[1].metadata["collapsed"] = True
    notebook.metadata["language_info"] = {"name": "python", "version": "3.0"}
    once = ipynb.canonical(notebook)
    assert ipynb.dumps(ipynb.canonical(once)) == ipynb.dumps(once)
    assert [cell.id for cell in once.cells] == ["cell-00", "cell-01", "cell-02"], "the empty cell goes"
    assert once.cells[1].metadata == {"tags": ["parameters"]}
    assert once.cells[2].source == "x = 1"
    assert once.cells[2].outputs == []
    assert once.cells[2].execution_count is None

    path = tmp_path / "x.ipynb"
    path.write_text(nbformat.writes(notebook))
    from robotr1.notebook import main

    assert main(["--check-canonical", str(path)]) == 1
    assert main(["--canonical", str(path)]) == 0
    assert main(["--check-canonical", str(path)]) == 0


def test_broken_file_is_named(tmp_path):
    (tmp_path / "x.ipynb").write_text('{"cells": [')
    with pytest.raises(ipynb.NotebookError, match="x.ipynb is not a notebook"):
        ipynb.read(tmp_path / "x.ipynb")


@pytest.mark.parametrize("line", ["import os", "a = b", "f()", "a = [1, c]"])
def test_parameters_are_plain_values(line):
    with pytest.raises(ipynb.NotebookError):
        ipynb.parameters(small_notebook(parameters=line))


def saved(path, notebook):
    """What Jupyter's contents manager, with the hook of `make notebooks`, writes to `path`."""
    contents = importlib.import_module("jupyter_server.services.contents.largefilemanager")  # JupyterLab brings it
    path.parent.mkdir(parents=True, exist_ok=True)
    manager = contents.LargeFileManager(root_dir=str(path.parent))
    manager.pre_save_hook = ipynb.canonical_on_save
    manager.save({"type": "notebook", "format": "json", "content": notebook}, path.name)
    return nbformat.read(path, as_version=4)


def student_notebook():
    picture = {"arm.png": {"image/png": "iVBORw0KGgo="}}
    printed = [nbformat.v4.new_output("stream", text="42\n")]
    cells = [
        nbformat.v4.new_markdown_cell("![arm](attachment:arm.png)", attachments=picture),
        nbformat.v4.new_code_cell("print(42)", outputs=printed, execution_count=1, metadata={"collapsed": True}),
        nbformat.v4.new_raw_cell("raw"),
        nbformat.v4.new_code_cell(""),
    ]
    return nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


@pytest.mark.parametrize(
    "name",
    [
        "notebooks/mine.ipynb",
        "notebooks/02_design_metadata-Copy1.ipynb",
        "notebooks/09_my_try.ipynb",
        "notebooks/solutions/02_design_metadata.ipynb",
        "elsewhere/02_design_metadata.ipynb",
        "02_design_metadata.ipynb",
    ],
)
def test_the_save_hook_leaves_a_students_own_notebook_alone(root, monkeypatch, name):
    monkeypatch.setattr(paths, "NOTEBOOKS", root / "notebooks")
    notebook = student_notebook()
    found = saved(root / name, notebook)
    assert [cell.source for cell in found.cells] == [cell.source for cell in notebook.cells]
    assert found.cells[0].attachments == notebook.cells[0].attachments
    assert found.cells[1].outputs == notebook.cells[1].outputs
    assert found.metadata.language_info == {"name": "python"}


def test_the_save_hook_keeps_a_source_notebook_canonical_with_its_pictures(root, monkeypatch):
    monkeypatch.setattr(paths, "NOTEBOOKS", root / "notebooks")
    notebook = small_notebook("print(42)")
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="42\n")]
    notebook.cells[0].attachments = student_notebook().cells[0].attachments
    for name in ("02_design_metadata.ipynb", "00_overview.ipynb"):
        found = saved(root / "notebooks" / name, notebook)
        assert found.cells[2].outputs == []
        assert found.cells[0].attachments == notebook.cells[0].attachments
        assert ipynb.dumps(ipynb.canonical(found)) == (root / "notebooks" / name).read_text()


def test_pictures_stay_in_executed_copies_and_canonical_files():
    notebook = small_notebook("1")
    notebook.cells[0].attachments = student_notebook().cells[0].attachments
    for form in (ipynb.canonical, ipynb.executed):
        assert form(notebook).cells[0].attachments == notebook.cells[0].attachments
        assert "attachments" not in form(notebook).cells[1]
