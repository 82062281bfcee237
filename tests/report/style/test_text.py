"""Numbers and completions as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.report.style.text import interval, listed, p_cell, p_text, points, printable, whole_percent


@pytest.mark.parametrize(
    ("p", "text"), [(0, "p < 0.001"), (8e-64, "p < 0.001"), (0.001, "p = 0.001"), (0.0324, "p = 0.032"), (1, "p = 1")]
)
def test_p_values(p, text):
    assert p_text(p) == text
    assert f"p {p_cell(p)}" == text.replace("= ", "")


def test_shares_and_differences_are_in_percent():
    assert interval(0.7155, 0.688, 0.742) == "71.5 [68.8, 74.2]"
    assert whole_percent(0.7155, 0.688, 0.742) == "72% [69%, 74%]"
    assert points(-0.122, -0.2, 0) == "-12.2 [-20.0, +0.0]"


def test_enumerations():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


@given(st.text(), st.integers(1, 50))
def test_printable_has_no_control_characters_and_respects_the_limit(text, limit):
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert all(c.isprintable() or c == "\n" for c in shown)
