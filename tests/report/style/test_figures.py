"""Colours and markers of policies."""

from hypothesis import given
from hypothesis import strategies as st

from robotr1.report.style.figures import style

SHOWN = ["base", "sft-direct-own-form", "sft-cot-own-form", "grpo-seed0", "rloo-seed0"]


@given(st.permutations(SHOWN))
def test_looks_do_not_depend_on_the_order(names):
    assert style(names) == style(SHOWN)


def test_shown_policies_differ_in_colour_and_marker():
    looks = style(SHOWN).values()
    assert len({look["color"] for look in looks}) == len({look["marker"] for look in looks}) == len(SHOWN)
