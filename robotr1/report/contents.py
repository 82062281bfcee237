"""The report's sections in their order, and the files written from them: figures and tables."""

from pathlib import Path

import matplotlib.pyplot as plt

from robotr1 import paths
from robotr1.report.claims import section as claims
from robotr1.report.results import Results
from robotr1.report.sections import (
    attention,
    closed_loop,
    consistency,
    eb_manipulation,
    examples,
    faithfulness,
    multiple_choice,
    open_questions,
    question_audit,
    spatialrgpt,
    training,
    written_positions,
)
from robotr1.report.style.figures import save, set_theme
from robotr1.report.style.tables import markdown

SECTIONS = tuple(
    module.SECTION
    for module in (
        claims,
        multiple_choice,
        training,
        consistency,
        written_positions,
        faithfulness,
        attention,
        closed_loop,
        open_questions,
        spatialrgpt,
        eb_manipulation,
        question_audit,
        examples,
    )
)


def write_figures(results: Results, folder: Path = paths.FIGURES) -> dict[str, Path]:
    """Write every figure that has something to draw; returns the PNG files by name."""
    set_theme()
    written = {}
    for section in SECTIONS:
        for name, drawing in section.drawings.items():
            if (figure := drawing.draw(results)) is not None:
                written[name] = folder / f"{name}.png"
                save(figure, written[name])
                plt.close(figure)
    return written


def write_tables(results: Results, folder: Path = paths.TABLES) -> None:
    """Write every table that is not empty: `<name>.md` for readers, `<name>.csv` with all digits for programs."""
    for section in SECTIONS:
        for name, table in section.tables.items():
            if len(made := table.make(results)):
                paths.write_text(folder / f"{name}.md", markdown(made))
        for name, frame in section.frames.items():
            if len(made := frame(results)):
                text = made.to_csv(index=False, float_format="%.6g", lineterminator="\n")
                paths.write_text(folder / f"{name}.csv", text)
