"""The README says what the committed run says."""

import pandas as pd
import pytest

from robotr1 import paths
from robotr1.report import readme


def test_the_committed_readme_is_up_to_date():
    fix = "run `python -m robotr1.report.readme` and commit"
    assert readme.README.read_text(encoding="utf-8") == readme.filled(), fix


def test_every_committed_accuracy_is_in_the_readme():
    section = readme.results_section()
    for row in pd.read_csv(paths.TABLES / "accuracy.csv").query("split == 'test_in'").itertuples():
        assert f"{100 * row.accuracy:.1f}" in section


def test_files_have_one_line_each_and_say_something():
    lines = readme.files_section().splitlines()[2:]
    assert len(set(lines)) == len(lines)
    for line in lines:
        file, text = line.strip("| ").split(" | ", 1)
        assert (paths.ROOT / file.strip("`")).is_file()
        assert len(text) > 15, file


def test_only_what_stands_between_the_marks_changes():
    text = "above\n<!-- begin: a -->\nold\n<!-- end: a -->\nbelow\n"
    once = readme.fill(text, {"a": "new\n"})
    assert once == "above\n<!-- begin: a -->\n\nnew\n\n<!-- end: a -->\nbelow\n"
    assert readme.fill(once, {"a": "new\n"}) == once


@pytest.mark.parametrize("text", ["", "<!-- begin: a -->", "<!-- end: a --> <!-- begin: a -->"])
def test_missing_marks_are_named(text):
    with pytest.raises(readme.ReadmeError, match="begin: a"):
        readme.fill(text, {"a": "new"})
