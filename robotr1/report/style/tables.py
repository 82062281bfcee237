"""Look up, sort and print data frames."""

import pandas as pd

from robotr1.report.style.names import ordered


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
