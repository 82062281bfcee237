"""`reports/report.html`: the whole report in one file, for a browser or a phone, without network and scripts.

Completions are untrusted text: the template escapes every value, and nothing is marked as safe.
"""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from robotr1 import paths
from robotr1.evaluation.published import published_tables
from robotr1.report.contents import SECTIONS
from robotr1.report.headline import headline
from robotr1.report.overview import findings, limits, what_was_run, who_answered
from robotr1.report.reproduction.provenance import where_and_how_long
from robotr1.report.results import Results
from robotr1.report.section import Section
from robotr1.report.sections.examples import Example, examples, verdict
from robotr1.report.style.names import label
from robotr1.report.style.text import printable

REPORT = paths.REPORTS / "report.html"
LONGEST = 1500  # characters of one completion on the page


def write_report(results: Results, figures: dict[str, Path], output: Path = REPORT) -> None:
    """Write the report from computed results and the figures' PNG files, by name."""
    paths.write_text(output, render(results, figures))


def render(results: Results, figures: dict[str, Path]) -> str:
    """The report as HTML text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    shown = {name for section in SECTIONS for name in section.published}
    return environment.get_template("page.html.j2").render(
        headline=headline(results),
        confidence=f"{results.settings.confidence:.0%}",
        findings=findings(results),
        run=f"{what_was_run(results)} {where_and_how_long()}",
        answered=who_answered(results),
        sections=[
            part for section in SECTIONS if section.name != "examples" if (part := fill(section, results, figures))
        ],
        published=published([name for name in published_tables() if name not in shown]),
        examples=[_card(example) for example in examples(results)],
        limits=limits(results),
    )


def fill(section: Section, results: Results, figures: dict[str, Path]) -> dict[str, Any] | None:
    """What the template shows of a section; None if the run has neither figures nor tables for it."""
    drawings = [
        {
            "name": name,
            "title": drawing.title,
            "caption": drawing.caption,
            "source": embedded(figures[name]),
            "drawn_by": f"{drawing.draw.__module__}.{drawing.draw.__name__}",
        }
        for name, drawing in section.drawings.items()
        if name in figures
    ]
    made = [(table, table.make(results)) for table in section.tables.values()]
    tables = [{"title": table.title, "rows": _rows(rows), "folded": table.folded} for table, rows in made if len(rows)]
    if not drawings and not tables:
        return None
    return {
        "id": section.name,
        "title": section.title,
        "sentences": section.sentences(results),
        "drawings": drawings,
        "tables": tables,
        "published": published(section.published),
    }


def published(names: Sequence[str]) -> list[tuple[str, list[list[str]]]]:
    """The named tables of the paper: a caption that names the table and its scale, and the rows as text."""
    tables = published_tables()
    return [
        (
            f"{tables[name].table}: {tables[name].title} ({tables[name].scale})",
            _rows(tables[name].rows.rename(columns=lambda column: column.replace("_", " "))),
        )
        for name in names
    ]


def embedded(path: Path) -> str:
    """A PNG file as a data URL; empty if there is no file."""
    if not path.is_file():
        return ""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _card(example: Example) -> dict[str, Any]:
    question = example.question
    return {
        "image": embedded(example.image),
        "title": question.instruction,
        "type": question.type,
        "id": question.id,
        "prompt": question.prompt,
        "answer": question.answer,
        "answers": [
            {
                "policy": label(policy),
                "verdict": verdict(prediction),
                "completion": printable(prediction.completion, LONGEST) or "(nothing)",
            }
            for policy, prediction in example.predictions.items()
        ],
    }


def _rows(table: pd.DataFrame) -> list[list[str]]:
    return [list(map(str, table.columns)), *table.astype(str).values.tolist()]
