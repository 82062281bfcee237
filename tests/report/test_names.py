"""Names, order and looks of policies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.report.names import headline_policy, is_reinforced, label, ordered, printable, style

EVERYONE = [
    "oracle",
    "rloo-seed0",
    "grpo-seed1",
    "grpo-seed0",
    "sft-cot-own-form",
    "sft-cot",
    "sft-direct",
    "base-blank",
]
EVERYONE += ["base", "text_only", "random", "grpo-seed0-blank", "something-else"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("grpo-seed0", "GRPO"),
        ("grpo-seed2-blank", "GRPO (seed 2), blank image"),
        ("reinforce_plus_plus-seed0", "REINFORCE++"),
        ("sft-direct-own-form", "direct SFT, open form"),
        ("my-policy", "my-policy"),
    ],
)
def test_labels(policy, words):
    assert label(policy) == words


def test_variants_follow_their_policy_and_the_oracle_ends():
    names = ordered(EVERYONE)
    assert names[:4] == ["random", "text_only", "base", "base-blank"]
    assert names.index("grpo-seed0-blank") == names.index("grpo-seed0") + 1
    assert names[-1] == "oracle"
    assert headline_policy(names) == "grpo-seed0"
    assert headline_policy(["base", "grpo-seed0-blank"]) is None


@given(st.permutations(EVERYONE))
def test_order_and_looks_do_not_depend_on_the_input(names):
    assert ordered(names) == ordered(EVERYONE)
    assert style(names) == style(EVERYONE)


def test_shown_policies_differ_in_colour_and_marker():
    looks = style(["base", "sft-direct-own-form", "sft-cot-own-form", "grpo-seed0", "rloo-seed0"])
    assert len({look["color"] for look in looks.values()}) == len({look["marker"] for look in looks.values()}) == 5


def test_blank_variants_are_not_reinforced_policies():
    assert is_reinforced("grpo-seed0")
    assert not is_reinforced("grpo-seed0-blank")
    assert not is_reinforced("sft-direct")


@given(st.text(), st.integers(1, 50))
def test_printable_has_no_control_characters_and_keeps_the_limit(text, limit):
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert all(c.isprintable() or c == "\n" for c in shown)
