"""Keep the README's measured parts equal to the committed run: `python -m robotr1.report.readme`.

Between `<!-- begin: name -->` and `<!-- end: name -->` stand generated lines: `results` (what came out), `faithfulness`
(do answers hang on thoughts), `stages` (time and memory) and `files` (one line per notebook and module). Everything
else of the README is written by hand.
"""

import ast
import json
import re
import sys
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.policies.names import OPEN_FORM
from robotr1.report.faithfulness import finding
from robotr1.report.names import headline_policy, label, ordered
from robotr1.report.results import find_row
from robotr1.report.tables import interval, markdown

README = paths.ROOT / "README.md"
STAGE_TIMES = paths.ROOT / "performance/results/stage_times.md"
COLUMNS = [("test_in", kind) for kind in TYPES] + [("test_out", "all")]


class ReadmeError(ValueError):
    """The README lacks a mark, or what it is to show is not there yet."""


def results_section(reports: Path = paths.REPORTS) -> str:
    """Accuracies in percent on `test_in` by type and on `test_out`; Wilson's intervals where types are pooled."""
    table = pd.read_csv(reports / "tables/accuracy.csv")
    rows = []
    for policy in ordered(table["policy"]):
        row = {"accuracy (%)": label(policy)}
        for split, kind in COLUMNS:
            title = kind if split == "test_in" else "all, held-out tasks"
            row[title] = _cell(find_row(table, policy=policy, split=split, type=kind), policy, kind)
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def _cell(row: pd.Series | None, policy: str, kind: str) -> str:
    if row is None:
        return "–"
    text = interval(row["accuracy"], row["low"], row["high"]) if kind == "all" else f"{100 * row['accuracy']:.1f}"
    return text + (" *" if kind == "all" and policy.endswith(OPEN_FORM) else "")


def faithfulness_section(reports: Path = paths.REPORTS) -> str:
    """What the probe of thoughts found for base and headline policy on `test_in`; nothing where nobody was probed."""
    file = reports / "tables/faithfulness.csv"
    if not file.is_file():
        return ""
    table = pd.read_csv(file).query("split == 'test_in'")
    told = [policy for policy in ("base", headline_policy(table["policy"])) if policy in set(table["policy"])]
    return "".join(f"- {finding(table, policy, 'test_in')}\n" for policy in told)


def stages_section(path: Path = STAGE_TIMES) -> str:
    """The table that `performance/stage_times.py` wrote."""
    return path.read_text(encoding="utf-8")


def files_section(root: Path = paths.ROOT) -> str:
    """One line per notebook (its title) and module (the first paragraph of its docstring)."""
    notebooks = [(path, _title(path)) for path in sorted((root / "notebooks").glob("*.ipynb"))]
    modules = sorted((root / "robotr1").rglob("*.py"), key=lambda path: (path.parent, path.name))
    lines = notebooks + [(path, _first_paragraph(path)) for path in modules if path.name != "__init__.py"]
    rows = [{"file": f"`{path.relative_to(root).as_posix()}`", "what it does": text} for path, text in lines]
    return markdown(pd.DataFrame(rows))


def _title(notebook: Path) -> str:
    source = json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["source"]
    return "".join(source).splitlines()[0].lstrip("# ")


def _first_paragraph(module: Path) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split()).rstrip(".")


def fill(text: str, sections: dict[str, str]) -> str:
    """`text` with the lines between each section's marks replaced. Raises ReadmeError where a mark is missing."""
    for name, content in sections.items():
        begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            raise ReadmeError(f"{README.name}: there must be one {begin!r} and, below it, one {end!r}")
        pattern = re.compile(f"({re.escape(begin)}).*({re.escape(end)})", re.DOTALL)
        text = pattern.sub(lambda match, content=content: f"{match[1]}\n\n{content.strip()}\n\n{match[2]}", text)
    return text


def filled(path: Path = README) -> str:
    """The README as it should be. Raises ReadmeError where a mark or a source is missing."""
    try:
        sections = {
            "results": results_section(),
            "faithfulness": faithfulness_section(),
            "stages": stages_section(),
            "files": files_section(),
        }
    except FileNotFoundError as error:
        raise ReadmeError(f"{error.filename} is missing; run `make study`, then performance/stage_times.py") from None
    return fill(path.read_text(encoding="utf-8"), sections)


if __name__ == "__main__":
    try:
        paths.write_text(README, filled())
    except ReadmeError as error:
        sys.exit(f"error: {error}")
