"""Convert notebooks to one canonical form, so that git and DVC see only real changes.

Source notebooks are committed without outputs. Executed ones are committed too and compared byte for byte, so all that
differs between two equal runs (timestamps, random cell ids, kernel versions, progress bars) is removed.
"""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from robotr1 import paths, settings

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


class NotebookError(RuntimeError):
    """A notebook cannot be read, or a stage did not finish; the message names the file."""


def read(path: Path) -> NotebookNode:
    """Read a notebook. Raises NotebookError if the file is missing or not a notebook."""
    try:
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except FileNotFoundError:
        raise NotebookError(f"{path} is missing; restore it with `git checkout {paths.relative(path)}`") from None
    except Exception as error:  # nbformat raises anything from JSONDecodeError to KeyError on a broken file
        raise NotebookError(f"{path} is not a notebook ({type(error).__name__}: {error}); restore it") from None


def dumps(notebook: NotebookNode) -> str:
    """Return the file content of a notebook. Raises NotebookError if it is not valid."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise NotebookError(f"not a valid notebook: {error.message}") from None
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def canonical(notebook: NotebookNode) -> NotebookNode:
    """Return the source form: no outputs, numbered cells, no metadata but the `parameters` tag."""
    cells = [_source_cell(i, cell) for i, cell in enumerate(_non_empty(notebook.cells))]
    return _notebook(cells)


def canonical_on_save(model: dict[str, Any], path: str = "", contents_manager: Any = None, **_: Any) -> None:
    """A `pre_save_hook` for Jupyter: the page keeps its outputs, a source notebook of the study stays canonical.

    All other notebooks are saved as they are.
    """
    folder = Path(getattr(contents_manager, "root_dir", "") or ".")
    if model["type"] == "notebook" and is_source(folder / path.strip("/")):
        model["content"] = canonical(nbformat.from_dict(model["content"]))


def is_source(path: Path) -> bool:
    """Return whether `path` is a source notebook of the study: notebooks/NN_<stage>.ipynb."""
    stages = [*settings.SECTIONS, "overview"]
    named = re.fullmatch(r"\d\d_(\w+)\.ipynb", path.name)
    return bool(named) and named[1] in stages and path.resolve().parent == paths.NOTEBOOKS.resolve()


def executed(notebook: NotebookNode) -> NotebookNode:
    """Return the form of an executed copy: canonical, with the outputs that are equal in every run.

    Progress bars and warnings (the stderr stream) are dropped. papermill's injected cell stays only if its values
    differ from those of the `parameters` cell, so that a reader sees the values of the run.
    """
    stated = parameters(notebook)
    cells = []
    for cell in _non_empty(notebook.cells):
        if "injected-parameters" in cell.metadata.get("tags", []) and _assigned(cell.source) == stated:
            continue
        clean = _source_cell(len(cells), cell)
        if cell.cell_type == "code":
            clean.outputs = list(_stable_outputs(cell.outputs))
        cells.append(clean)
    number = 0
    for cell in cells:
        if cell.cell_type == "code":
            number += 1
            cell.execution_count = number
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = number
    return _notebook(cells)


def parameters(notebook: NotebookNode) -> dict[str, Any]:
    """Return names and values of the cell tagged `parameters`, in order; empty if there is none.

    Raises NotebookError if there are several, or the cell holds anything but `name: type = literal` lines.
    """
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) > 1:
        raise NotebookError(f"{len(tagged)} cells are tagged `parameters`; tag one")
    return _assigned(tagged[0].source) if tagged else {}


def _assigned(source: str) -> dict[str, Any]:
    values = {}
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign) and len(line.targets) == 1:
            target = line.targets[0]
        elif isinstance(line, ast.AnnAssign) and line.value is not None:
            target = line.target
        else:
            raise NotebookError(f"the parameters cell holds `{ast.unparse(line)}`; write `name: type = value` lines")
        try:
            values[ast.unparse(target)] = ast.literal_eval(line.value)
        except ValueError:
            raise NotebookError(f"parameter {ast.unparse(target)} is not a plain value") from None
    return values


def _non_empty(cells: Iterable[NotebookNode]) -> list[NotebookNode]:
    return [cell for cell in cells if cell.source.strip()]


def _notebook(cells: list[NotebookNode]) -> NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _source_cell(number: int, cell: NotebookNode) -> NotebookNode:
    source = "\n".join(line.rstrip() for line in cell.source.strip("\n").split("\n"))
    metadata = {"tags": ["parameters"]} if "parameters" in cell.metadata.get("tags", []) else {}
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    if cell.cell_type not in make:
        raise NotebookError(f"cell {number} is a {cell.cell_type} cell; use code and markdown")
    made = make[cell.cell_type](source, id=f"cell-{number:02d}", metadata=metadata)
    if attachments := cell.get("attachments"):  # pasted images
        made.attachments = attachments
    return made


def _stable_outputs(outputs: Iterable[NotebookNode]) -> Iterable[NotebookNode]:
    """Drop stderr and join adjacent stdout outputs, whose boundaries depend on timing."""
    text: NotebookNode | None = None
    for output in outputs:
        if output.output_type != "stream":
            text = None
            yield output
        elif output.name == "stdout":
            if text is None:
                text = nbformat.v4.new_output("stream", name="stdout", text="")
                yield text
            text.text += output.text
