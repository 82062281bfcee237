"""README's generated parts."""

import pandas as pd
import pytest

from robotr1 import paths
from robotr1.report import readme


def cells(line):
    return [cell.strip() for cell in line.strip("| \n").split("|")]


@pytest.mark.parametrize("page", [readme.README, readme.RESULTS], ids=paths.relative)
def test_committed_pages_are_up_to_date(page):
    text = page.read_text(encoding="utf-8")
    assert text == readme.fill(text, readme.generated()[page]), "run `python -m robotr1.report.readme` and commit"


def test_every_committed_accuracy_is_in_its_cell():
    head, _, *lines = readme.results_section().splitlines()
    rows = {cells(line)[0]: dict(zip(cells(head), cells(line))) for line in lines}
    table = pd.read_csv(paths.TABLES / "accuracy.csv").query("split == 'test_in'")
    assert len(rows) == table["policy"].nunique()
    for row in table.itertuples():
        assert rows[readme.label(row.policy)][row.type].split(" ")[0] == f"{100 * row.accuracy:.1f}"


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
