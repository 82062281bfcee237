"""Names and order of policies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.report.style.names import compared, headline_policy, is_reinforced, label, ordered

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


def test_variants_follow_their_policy_and_the_oracle_comes_last():
    names = ordered(EVERYONE)
    assert names[:4] == ["random", "text_only", "base", "base-blank"]
    assert names.index("grpo-seed0-blank") == names.index("grpo-seed0") + 1
    assert names[-1] == "oracle"
    assert headline_policy(names) == "grpo-seed0"
    assert headline_policy(["base", "grpo-seed0-blank"]) is None


@given(st.permutations(EVERYONE))
def test_order_does_not_depend_on_the_input(names):
    assert ordered(names) == ordered(EVERYONE)


def test_blank_variants_are_not_reinforced_policies():
    assert is_reinforced("grpo-seed0")
    assert not is_reinforced("grpo-seed0-blank")
    assert not is_reinforced("sft-direct")


def test_figures_compare_supervised_policies_in_the_form_they_were_asked_in():
    assert compared(EVERYONE) == ["base", "sft-direct", "sft-cot-own-form", "grpo-seed0", "grpo-seed1", "rloo-seed0"]
