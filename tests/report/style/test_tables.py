"""Data frames looked up, sorted and printed."""

import pandas as pd

from robotr1.report.style.tables import find_row, in_order, markdown, plain


def test_markdown_escapes_bars_and_line_ends():
    lines = markdown(pd.DataFrame({"a|b": ["x\ny", "1.50"], "c": [1, 20]})).splitlines()
    assert [lines[0], *lines[2:]] == ["| a\\|b | c |", "| x<br>y | 1 |", "| 1.50 | 20 |"]
    assert set(lines[1]) == {"|", "-"}


def test_plain_text_is_aligned_and_keeps_the_digits():
    assert plain(pd.DataFrame({"name": ["a", "longer"], "x": ["1.50", "2"]})).splitlines() == [
        "name    x",
        "a       1.50",
        "longer  2",
    ]


def test_rows_are_found_by_value_and_sorted_by_policy():
    table = pd.DataFrame({"policy": ["oracle", "base", "oracle"], "x": [1, 2, 3]})
    assert find_row(table, policy="oracle")["x"] == 1
    assert find_row(table, policy="random") is None
    assert in_order(table)["x"].tolist() == [2, 1, 3]
