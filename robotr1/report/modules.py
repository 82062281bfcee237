"""The list of all notebooks and modules, docs/modules.md; `python -m robotr1.report.readme` writes it."""

import ast
import json
from itertools import groupby
from pathlib import Path

from robotr1 import paths

OUTPUT = paths.ROOT / "docs/modules.md"
HEAD = """\
# Notebooks and modules

Written by `python -m robotr1.report.readme` from the notebooks' titles and the modules' first lines.
"""


def module_list(root: Path = paths.ROOT) -> str:
    """The page: one heading for each folder, one line for each notebook (its title) and module (its first line)."""
    modules = [path for path in (root / "robotr1").rglob("*.py") if path.name != "__init__.py"]
    files = sorted((root / "notebooks").glob("*.ipynb")) + sorted(modules, key=lambda path: (path.parent, path))
    parts = [HEAD]
    for folder, members in groupby(files, key=lambda path: path.parent):
        lines = "".join(f"- `{path.name}`: {first_line(path)}\n" for path in members)
        parts.append(f"## {folder.relative_to(root).as_posix()}\n\n{lines}")
    return "\n".join(parts)


def first_line(path: Path) -> str:
    """A notebook's title, or the first paragraph of a module's docstring as one line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return "".join(json.loads(text)["cells"][0]["source"]).splitlines()[0].lstrip("# ")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    return " ".join(docstring.partition("\n\n")[0].split()).rstrip(".:")
