"""What `make study` prints last."""

import pytest
from synthetic_study import results

from robotr1.report.contents import write_tables
from robotr1.report.summary import SummaryError, summary


def test_summary_shows_every_policy_on_both_test_splits(tmp_path):
    write_tables(results(), tmp_path / "tables")
    (tmp_path / "report.html").write_text("<html></html>")
    text = summary(tmp_path)
    assert "Did it reproduce? " in text
    blocks = text.split("\n\n")
    assert [block.splitlines()[0].split("  ")[0] for block in blocks[:2]] == [
        "accuracy on test_in (%)",
        "accuracy on test_out (%)",
    ]
    for words in ("random guess", "GRPO, blank image", "direct SFT, open form", "oracle"):
        assert text.count(f"\n{words}  ") == 2
    assert blocks[-1].startswith("Report: ")
    assert blocks[-1].endswith("report.html")
    assert max(map(len, text.splitlines())) < 120


def test_summary_before_the_study_says_what_to_run(tmp_path):
    with pytest.raises(SummaryError, match="run `dvc repro`"):
        summary(tmp_path)
