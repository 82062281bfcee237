"""README's generated parts."""

import pandas as pd
import pytest
from synthetic_study import results

from robotr1 import paths
from robotr1.report import readme
from robotr1.report.claims.claims import write_claims


def cells(line):
    return [cell.strip() for cell in line.strip("| \n").split("|")]


def accuracy_rows(section):
    """The cells of the results table by policy and column."""
    head, _, *lines = section.splitlines()
    return {cells(line)[0]: dict(zip(cells(head), cells(line))) for line in lines}


@pytest.mark.parametrize("page", [readme.README, readme.RESULTS], ids=paths.relative)
def test_committed_pages_are_up_to_date(page, committed):
    text = (committed / paths.relative(page)).read_text(encoding="utf-8")
    parts = readme.generated(committed / "reports", committed / paths.relative(readme.STAGE_TIMES))[page]
    assert text == readme.fill(text, parts), "run `python -m robotr1.report.readme` and commit"


def test_every_committed_accuracy_is_in_its_cell(committed):
    rows = accuracy_rows(readme.results_section(committed / "reports"))
    table = pd.read_csv(committed / "reports/tables/accuracy.csv").query("split == 'test_in'")
    assert len(rows) == table["policy"].nunique()
    for row in table.itertuples():
        assert rows[readme.label(row.policy)][row.type].split(" ")[0] == f"{100 * row.accuracy:.1f}"


def test_claims_are_shown_with_their_verdicts(tmp_path):
    assert readme.claims_section(tmp_path) == ""
    write_claims(results(), tmp_path / "claims.csv")
    rows = [cells(line) for line in readme.claims_section(tmp_path).splitlines() if line.startswith("| ")][1:]
    table = pd.read_csv(tmp_path / "claims.csv", dtype={"paper": str})
    assert [(row[0], row[1], row[3]) for row in rows] == list(zip(table["claim"], table["paper"], table["verdict"]))


def test_only_the_lines_between_the_marks_change():
    text = "above\n<!-- begin: a -->\nold\n<!-- end: a -->\nbelow\n"
    once = readme.fill(text, {"a": "new\n"})
    assert once == "above\n<!-- begin: a -->\n\nnew\n\n<!-- end: a -->\nbelow\n"
    assert readme.fill(once, {"a": "new\n"}) == once


@pytest.mark.parametrize("text", ["", "<!-- begin: a -->", "<!-- end: a --> <!-- begin: a -->"])
def test_missing_marks_are_named(text):
    with pytest.raises(readme.ReadmeError, match="begin: a"):
        readme.fill(text, {"a": "new"})


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(readme.ReadmeError, match=r"accuracy\.csv is missing; run `make study`"):
        readme.generated(reports=tmp_path)
