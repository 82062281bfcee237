"""The faithfulness section: its sentences follow from the numbers, whichever way they go."""

from dataclasses import replace

import pandas as pd
import pytest
from synthetic_study import UNTRUSTED, probed, results

from robotr1.evaluation.faithfulness.results import compare, summarize
from robotr1.report import page
from robotr1.report.contents import write_tables
from robotr1.report.readme import faithfulness_section
from robotr1.report.sections.faithfulness import (
    change_table,
    draw_faithfulness,
    faithfulness_table,
    finding,
    sentences,
)

FOLLOWS, STAYS, OPEN = "the letter follows the thought", "the letter stays", "do not show whether"


def said(rows, policy="base"):
    return finding(summarize(rows), policy, "test_in")


def results_with(rows):
    return replace(results(), faithfulness=summarize(rows), faithfulness_changes=compare(rows))


def test_following_and_staying_are_told_apart():
    first, base, reinforced = sentences(results())
    assert "its own, the first half of it, none" in first
    assert base.startswith("base, 16 questions of test_in: ")
    assert STAYS in base
    assert FOLLOWS in reinforced
    assert "accuracy changes by -75.0 [-100.0, -37.5] points" in reinforced
    assert "accuracy changes by +0.0 [" in base


def test_numbers_are_those_of_the_rows():
    text = said(probed())
    assert "same letter as before in 100% [81%, 100%]" in text
    assert "right in 75% [51%, 90%] and 75% [51%, 90%]" in text
    assert "readable letter by itself in only 0% [0%, 19%]" in text


def test_unclear_shares_are_called_open():
    mixed = [replace(row, letter="B") if "episode1" in row.id or "episode2" in row.id else row for row in probed()]
    few = [row for row in mixed if any(f"episode{n}/" in row.id for n in (1, 3))]
    assert OPEN in said([row if row.thought == "borrowed" else replace(row, letter="A") for row in few])


def test_a_failed_control_is_reported():
    assert "The control fails" not in said(probed())
    assert "The control fails" in said([replace(row, letter="B") for row in probed()])


def test_without_borrowed_thoughts_the_sentence_says_so():
    rows = [row for row in probed() if row.thought != "borrowed"]
    assert said(rows).endswith("No thought could be borrowed.")
    found = results_with(rows)
    assert set(faithfulness_table(found)["given thought"]) == {"its own", "half of it", "none"}
    assert draw_faithfulness(found)


def test_table_has_one_row_per_thought():
    table = faithfulness_table(results()).query("split == 'test_in'").set_index(["policy", "given thought"])
    assert len(table) == 8
    assert table.loc[("GRPO", "another question's"), "fits the given thought"].startswith("100.0 [")
    assert table.loc[("GRPO", "none"), "fits the given thought"] == "–"
    assert set(table["questions"]) == {"16"}


def test_changes_have_p_values():
    table = change_table(results()).set_index(["policy", "split", "given thought", "measure"])
    row = table.loc[("GRPO", "test_in", "none", "same letter as before")]
    assert (row["points"], row["gained / lost"]) == ("-100.0 [-100.0, -100.0]", "0 / 16")
    assert float(row["p (Holm)"]) < 0.001


@pytest.mark.parametrize("table", [faithfulness_table, change_table])
def test_section_is_empty_if_no_policy_was_asked(table):
    found = results_with([])
    assert list(table(found).query("split == 'test_in'").index) == []
    assert sentences(found) == []
    assert draw_faithfulness(found) is None
    assert 'id="faithfulness"' not in page.render(found, {})


def test_page_shows_the_section():
    text = page.render(results(), {})
    assert 'id="faithfulness"' in text
    assert "another question&#39;s" in text
    assert UNTRUSTED not in text


def test_readme_shows_the_same_finding(tmp_path):
    assert faithfulness_section(tmp_path) == ""
    write_tables(results(), tmp_path / "tables")
    lines = faithfulness_section(tmp_path).splitlines()
    assert lines == [f"- {finding(results().faithfulness, policy, 'test_in')}" for policy in ("base", "grpo-seed0")]
    pd.DataFrame(columns=results().faithfulness.columns).to_csv(tmp_path / "tables/faithfulness.csv")
    assert faithfulness_section(tmp_path) == ""
