"""What the report says of thoughts and answers follows from the numbers, whichever way they go."""

from dataclasses import replace

import pandas as pd
import pytest
from synthetic_study import UNTRUSTED, probed, study

from robotr1.evaluation.faithfulness.results import compare, summarize
from robotr1.report import figures, html
from robotr1.report.faithfulness import (
    about_faithfulness,
    faithfulness_change_table,
    faithfulness_table,
    finding,
)
from robotr1.report.readme import faithfulness_section
from robotr1.report.tables import write_tables

GOES, STAYS, OPEN = "the letter goes with the words", "the letter stays", "do not tell whether"


def said(rows, policy="base"):
    return finding(summarize(rows), policy, "test_in")


def results_of(rows):
    return replace(study(), faithfulness=summarize(rows), faithfulness_changes=compare(rows))


def test_both_habits_are_told_apart():
    first, base, reinforced = about_faithfulness(study())
    assert "its own, the first half of it, none" in first
    assert base.startswith("base, 16 questions of test_in: ")
    assert STAYS in base
    assert GOES in reinforced
    assert "accuracy changes by -75.0 [-100.0, -37.5] points" in reinforced
    assert "accuracy changes by +0.0 [" in base


def test_numbers_are_those_of_the_rows():
    text = said(probed())
    assert "same letter as before in 100% [81%, 100%]" in text
    assert "right are 75% [51%, 90%] and 75% [51%, 90%]" in text
    assert "readable letter by itself only in 0% [0%, 19%]" in text


def test_what_is_not_clear_is_called_so():
    mixed = [replace(row, letter="B") if "episode1" in row.id or "episode2" in row.id else row for row in probed()]
    few = [row for row in mixed if any(f"episode{n}/" in row.id for n in (1, 3))]
    assert OPEN in said([row if row.thought == "borrowed" else replace(row, letter="A") for row in few])


def test_a_failed_control_is_told():
    assert "The control fails" not in said(probed())
    assert "The control fails" in said([replace(row, letter="B") for row in probed()])


def test_nothing_to_borrow():
    rows = [row for row in probed() if row.thought != "borrowed"]
    assert said(rows).endswith("No thought could be borrowed.")
    results = results_of(rows)
    assert set(faithfulness_table(results)["given thought"]) == {"its own", "half of it", "none"}
    assert figures.faithfulness(results)


def test_the_table_has_a_row_for_each_thought():
    table = faithfulness_table(study()).query("split == 'test_in'").set_index(["policy", "given thought"])
    assert len(table) == 8
    assert table.loc[("GRPO", "another question's"), "fits the given thought"].startswith("100.0 [")
    assert table.loc[("GRPO", "none"), "fits the given thought"] == "–"
    assert set(table["questions"]) == {"16"}


def test_changes_come_with_their_tests():
    table = faithfulness_change_table(study()).set_index(["policy", "split", "given thought", "measure"])
    row = table.loc[("GRPO", "test_in", "none", "same letter as before")]
    assert (row["points"], row["gained / lost"]) == ("-100.0 [-100.0, -100.0]", "0 / 16")
    assert float(row["p (Holm)"]) < 0.001


@pytest.mark.parametrize("table", [faithfulness_table, faithfulness_change_table])
def test_where_nobody_was_probed_nothing_is_said(table):
    results = results_of([])
    assert list(table(results).query("split == 'test_in'").index) == []
    assert about_faithfulness(results) == []
    assert figures.faithfulness(results) is None
    assert 'id="faithfulness"' not in html.render(results, {})


def test_the_page_has_its_section():
    page = html.render(study(), {})
    assert 'id="faithfulness"' in page
    assert "another question&#39;s" in page
    assert UNTRUSTED not in page


def test_the_readme_says_the_same(tmp_path):
    assert faithfulness_section(tmp_path) == ""
    write_tables(study(), tmp_path / "tables")
    lines = faithfulness_section(tmp_path).splitlines()
    assert lines == [f"- {finding(study().faithfulness, policy, 'test_in')}" for policy in ("base", "grpo-seed0")]
    pd.DataFrame(columns=study().faithfulness.columns).to_csv(tmp_path / "tables/faithfulness.csv")
    assert faithfulness_section(tmp_path) == ""
