"""Look up, sort and print data frames."""

import pandas as pd

<<<<<<< HEAD
from robotr1 import paths
from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.evaluation.published import published_tables
from robotr1.policies.names import OPEN_FORM
from robotr1.report.faithfulness import faithfulness_change_table, faithfulness_table
from robotr1.report.names import SPLIT_NAMES, compared, in_order, interval, label, ordered, points
from robotr1.report.other_tables import (
    acting_comparison_table,
    acting_table,
    agreement_table,
    embodied_table,
    reasoning_table,
    seeds_table,
    spatial_table,
)
from robotr1.report.places import places_table
from robotr1.report.results import Results, find_row, p_cell

CURVES = ("reward", "accuracy", "length", "zero_std", "truncated", "entropy", "kl", "loss", "token_accuracy")
MEASURE_NAMES = {
    "agrees": "letter fits the words",
    "names": "names the right thing",
    "close": "position near the true one",
}
=======
from robotr1.report.names import ordered
>>>>>>> main


def find_row(table: pd.DataFrame, **values: str) -> pd.Series | None:
    """The first row with these values, or None."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table.iloc[0] if len(table) else None


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by policy in the report's order; within a policy they keep theirs."""
    place = {policy: i for i, policy in enumerate(ordered(table["policy"]))}
    return table.sort_values("policy", key=lambda names: names.map(place), kind="stable").reset_index(drop=True)


def markdown(table: pd.DataFrame) -> str:
    """A markdown table; "|" and line ends in cells are escaped."""
    escaped = table.astype(str).replace({r"\|": r"\\|", "\n": "<br>"}, regex=True)
    escaped.columns = [str(name).replace("|", "\\|") for name in table.columns]
    return escaped.to_markdown(index=False, tablefmt="github", stralign=None, disable_numparse=True) + "\n"


def plain(table: pd.DataFrame) -> str:
    """The table as aligned text for a terminal."""
    return table.to_markdown(index=False, tablefmt="plain", disable_numparse=True)
