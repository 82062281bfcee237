"""`reports/report.html`: one file with everything in it, for a browser or a phone, without network and scripts.

What models wrote is untrusted text: the template escapes every value, and nothing is marked as safe.
"""

import base64
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from robotr1 import paths
from robotr1.report import tables
from robotr1.report.faithfulness import about_faithfulness
from robotr1.report.names import label, printable
from robotr1.report.other_words import about_acting, about_embodied, about_reasoning, about_spatial
from robotr1.report.provenance import where_and_how_long
from robotr1.report.results import Results, headline
from robotr1.report.sheet import examples
from robotr1.report.words import CAPTIONS, findings, limits, what_was_run, who_answered

REPORT = paths.REPORTS / "report.html"
TABLE_TITLES = {
    "accuracy_by_task": "Accuracy by task (* without movement questions)",
    "comparisons": "Paired comparisons on the same questions",
    "consistency": "Do the words fit the letter and the scene?",
    "consistency_change": "Change of the words with reinforcement learning",
    "places": "Where the place lies that is written about the next waypoint (medians; shares in percent)",
    "faithfulness": "Behind given thoughts: percent, with intervals over questions",
    "faithfulness_changes": "Paired changes from the policy's own thought",
    "seeds": "Algorithms over their seeds",
    "reasoning": "Judge's score of free text, 0 to 3, with intervals over frames",
    "agreement": "Do the judges agree? On answers that were given, the oracle's left out; intervals over frames",
    "spatial": "Percent right in the form of SpatialRGPT-Bench, with intervals over questions",
    "embodied": "Whole tasks by discrete actions: percent done, with intervals over episodes",
    "closed_loop": "Episodes done (percent), with intervals over episodes",
    "closed_loop_comparisons": "Paired comparisons on the same placements",
    "shortcut_audit": "Shortcut audit: the best blind guess for every way to draw wrong options",
}
SECTIONS = {  # title, sentences, figures, tables and the paper's tables of each section with its own heading
    "faithfulness": (
        "Does the answer hang on the thought?",
        about_faithfulness,
        ("faithfulness",),
        ("faithfulness", "faithfulness_changes"),
        (),
    ),
    "acting": (
        "Acting: the closed loop",
        about_acting,
        ("closed_loop", "film"),
        ("closed_loop", "closed_loop_comparisons"),
        ("embodiedbench",),
    ),
    "reasoning": (
        "Open questions",
        about_reasoning,
        (),
        ("reasoning", "agreement"),
        ("high_level", "low_level", "human_agreement"),
    ),
    "spatial": (
        "Lengths and relations",
        about_spatial,
        (),
        ("spatial",),
        ("spatialrgpt_quantitative", "spatialrgpt_qualitative"),
    ),
    "embodied": ("Discrete actions", about_embodied, (), ("embodied",), ()),
}
DRAWN_BY = {"attention": "robotr1.report.gaze.attention"}  # the others by the function of their name in figures.py
ELSEWHERE = {name for _, _, figures, own, _ in SECTIONS.values() for name in (*figures, *own)}
ELSEWHERE |= {"examples"}  # the report has its examples as text


def write_report(results: Results, figures: dict[str, Path], output: Path = REPORT) -> None:
    """Write the report from computed results and the figures' PNG files, by name."""
    paths.write_text(output, render(results, figures))


def render(results: Results, figures: dict[str, Path]) -> str:
    """The report as HTML text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html.j2").render(
        headline=headline(results),
        confidence=f"{results.settings.confidence:.0%}",
        findings=findings(results),
        run=f"{what_was_run(results)} {where_and_how_long()}",
        answered=who_answered(results),
        figures=[
            {
                "name": name,
                "source": embedded(path),
                "drawn_by": DRAWN_BY.get(name, f"robotr1.report.figures.{name}"),
                **CAPTIONS[name],
            }
            for name, path in figures.items()
            if name not in ELSEWHERE
        ],
        tables=[
            (_title(name), _rows(table), name.startswith("accuracy_test"))
            for name, table in tables.reading_tables(results).items()
            if name not in ELSEWHERE
        ],
        sections=(parts := sections(results, figures)),
        published=[
            (title, _rows(table))
            for title, table in tables.published_reading_tables().items()
            if title not in {shown for part in parts for shown, _ in part["published"]}
        ],
        examples=[_card(example) for example in examples(results)],
        limits=limits(results),
    )


def sections(results: Results, figures: dict[str, Path]) -> list[dict[str, Any]]:
    """The sections that this run has results for; the paper's numbers stand in tables of their own."""
    made = tables.reading_tables(results)
    return [
        {
            "id": name,
            "title": title,
            "sentences": sentences(results),
            "figures": [{"source": embedded(figures[f]), **CAPTIONS[f]} for f in drawn if f in figures],
            "tables": [(_title(table), _rows(made[table])) for table in own if table in made],
            "published": [(title, _rows(t)) for title, t in tables.published_reading_tables(published).items()],
        }
        for name, (title, sentences, drawn, own, published) in SECTIONS.items()
        if sentences(results)
    ]


def embedded(path: Path) -> str:
    """A PNG file as a data URL; empty where there is no file."""
    if not path.is_file():
        return ""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _card(example: Any) -> dict[str, Any]:
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
                "verdict": "right" if p.correct else "wrong" if p.letter else "no readable answer",
                "completion": printable(p.completion, 1500) or "(nothing)",
            }
            for policy, p in example.predictions.items()
        ],
    }


def _title(name: str) -> str:
    split = tables.split_title(name.removeprefix("accuracy_"))
    return TABLE_TITLES.get(name) or f"Accuracy: {split} (* without movement questions)"


def _rows(table: pd.DataFrame) -> list[list[str]]:
    return [list(map(str, table.columns)), *table.astype(str).values.tolist()]
