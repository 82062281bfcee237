"""What a section of the report consists of: sentences, figures, tables for readers, and frames for programs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from robotr1.report.results import Results


@dataclass(frozen=True)
class Table:
    """A table as text; `make` returns an empty frame if the run has no such results."""

    title: str
    make: Callable[[Results], pd.DataFrame]
    folded: bool = False  # whether the page shows only its title until a reader opens it


@dataclass(frozen=True)
class Drawing:
    """A figure with its caption, which says what to look for; `draw` returns None if there is nothing to draw."""

    title: str
    caption: str
    draw: Callable[[Results], Figure | None]


@dataclass(frozen=True)
class Section:
    """One section of the report.

    `drawings`, `tables` and `frames` are keyed by file name without ending. Tables are written as markdown, frames as
    CSV with all digits. `published` names the paper's tables that the section shows.
    """

    name: str
    title: str
    sentences: Callable[[Results], list[str]] = lambda results: []
    drawings: dict[str, Drawing] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    frames: dict[str, Callable[[Results], pd.DataFrame]] = field(default_factory=dict)
    published: tuple[str, ...] = ()
