"""The tables that the Robot-R1 paper prints (arXiv 2506.00070v3): beside our numbers, never on one scale with them.

The paper scores free text from 0 to 3 with GPT-4o, or counts successes of other benchmarks; robotr1 counts correct
letters. `index.csv` gives each table's number in the paper, its scale and its title.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class PublishedTable:
    """One table of the paper: `name` is its CSV's stem, `table` its number there, `scale` the unit of its numbers."""

    name: str
    table: str
    scale: str
    title: str
    rows: pd.DataFrame


def published_tables() -> dict[str, PublishedTable]:
    """All published tables by name, in the paper's order."""
    index = pd.read_csv(FOLDER / "index.csv")
    return {
        entry.name: PublishedTable(
            entry.name, entry.table, entry.scale, entry.title, pd.read_csv(FOLDER / f"{entry.name}.csv")
        )
        for entry in index.itertuples(index=False)
    }


def read_published(name: str) -> PublishedTable:
    """One published table.

    Raises:
        KeyError: no table of that name; the message lists the names.
    """
    tables = published_tables()
    if name not in tables:
        raise KeyError(f"no published table {name!r}; there are {', '.join(tables)}")
    return tables[name]
