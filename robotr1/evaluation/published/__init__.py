"""Read the tables that the Robot-R1 paper prints (arXiv 2506.00070v3).

The report shows them next to our numbers, never on one scale: the paper scores free text from 0 to 3 with GPT-4o, or
counts successes of other benchmarks, and robotr1 counts correct letters. `index.csv` has each table's number in the
paper, its scale and its title.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class PublishedTable:
    """One table of the paper: `name` is the stem of its CSV file, `table` its number, `scale` the unit of values."""

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
    """One published table. Raises KeyError for an unknown name; the message lists the known ones."""
    tables = published_tables()
    if name not in tables:
        raise KeyError(f"no published table {name!r}; there are {', '.join(tables)}")
    return tables[name]
