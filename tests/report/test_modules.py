"""docs/modules.md lists every notebook and module."""

from robotr1 import paths
from robotr1.report import modules


def test_the_committed_list_is_up_to_date():
    assert modules.OUTPUT.read_text(encoding="utf-8") == modules.module_list(), "run `python -m robotr1.report.readme`"


def test_every_module_has_a_line_of_its_own():
    lines = [line for line in modules.module_list().splitlines() if line.startswith("- ")]
    files = [path for path in (paths.ROOT / "robotr1").rglob("*.py") if path.name != "__init__.py"]
    assert len(lines) == len(files) + len(list(paths.NOTEBOOKS.glob("*.ipynb")))
    texts = [line.partition("`: ")[2] for line in lines]
    assert len(set(texts)) == len(texts)
    assert all(len(text) > 15 for text in texts)


def test_first_lines_of_notebooks_and_modules(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "robotr1/part").mkdir(parents=True)
    (tmp_path / "notebooks/00_a.ipynb").write_text('{"cells": [{"source": ["# 00 · Title\\n", "\\n", "Text"]}]}')
    (tmp_path / "robotr1/part/b.py").write_text('"""Do one\nthing.\n\nMore."""\n')
    text = modules.module_list(tmp_path)
    assert text.endswith("## notebooks\n\n- `00_a.ipynb`: 00 · Title\n\n## robotr1/part\n\n- `b.py`: Do one thing\n")
