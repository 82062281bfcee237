"""Print the result table and the path of the report; `make study` ends with it."""

import sys
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.report.reproduction.report import first_sentence
from robotr1.report.style.names import label, ordered
from robotr1.report.style.tables import find_row, plain


class SummaryError(FileNotFoundError):
    """The tables or the report are missing."""


def summary(reports: Path = paths.REPORTS) -> str:
    """The accuracy of each policy on each test split by type, from the finished tables; then whether the run
    reproduced the committed one, and the report's path.

    Raises:
        SummaryError: the tables or the report are missing.
    """
    accuracy, report = reports / "tables/accuracy.csv", reports / "report.html"
    for path in (accuracy, report):
        if not path.is_file():
            raise SummaryError(f"{paths.relative(path)} is missing; run `dvc repro`")
    table = pd.read_csv(accuracy)
    blocks = [_block(table[table["split"] == split], split) for split in _splits(table)]
    compared = f"Did it reproduce? {first_sentence(reports / 'reproduction.md')} (reports/reproduction.md)"
    return "\n\n".join([*blocks, compared, f"Report: {paths.relative(report)}"])


def _splits(table: pd.DataFrame) -> list[str]:
    splits = sorted(set(table["split"]))
    return [split for split in splits if split.startswith("test")] or splits


def _block(table: pd.DataFrame, split: str) -> str:
    kinds = [kind for kind in TYPES if kind in set(table["type"])]
    rows = []
    for policy in ordered(table["policy"]):
        row = {f"accuracy on {split} (%)": label(policy)}
        for kind in kinds:
            cell = find_row(table, policy=policy, type=kind)
            row[kind] = "" if cell is None else f"{cell.accuracy:6.1%} [{100 * cell.low:.1f}, {100 * cell.high:.1f}]"
        rows.append(row)
    return plain(pd.DataFrame(rows))


if __name__ == "__main__":
    try:
        print(summary())
    except SummaryError as error:
        sys.exit(str(error))
