"""Parts of policies' names."""

import pytest

from robotr1.policies.names import PolicyName, parse_name
from robotr1.settings import load_settings


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("base", ("base", "choice", "real", None, None)),
        ("base-blank", ("base", "choice", "blank", None, None)),
        ("text_only", ("text_only", "choice", "real", None, None)),
        ("sft-cold_start", ("sft-cold_start", "choice", "real", "sft", None)),
        ("sft-cot-own-form", ("sft-cot", "open", "real", "sft", None)),
        ("grpo-seed0", ("grpo-seed0", "choice", "real", "grpo", 0)),
        (
            "reinforce_plus_plus-seed12-blank",
            ("reinforce_plus_plus-seed12", "choice", "blank", "reinforce_plus_plus", 12),
        ),
        ("rloo-seed1-own-form", ("rloo-seed1", "open", "real", "rloo", 1)),
        ("my model", ("my model", "choice", "real", None, None)),
    ],
)
def test_a_name_has_parts(name, parts):
    assert parse_name(name) == PolicyName(*parts)


def test_kinds_of_policies():
    assert parse_name("oracle").control and not parse_name("base").control
    assert parse_name("sft-direct-own-form").supervised and not parse_name("sft-direct-own-form").plain
    assert parse_name("grpo-seed0-blank").reinforced and not parse_name("grpo-seed0-blank").plain
    assert not parse_name("grpo-seedling").reinforced


def test_every_trained_policy_of_the_study_has_an_algorithm():
    assert all(parse_name(name).algorithm for name in load_settings()["policies"].trained)
