"""The paper's differences, computed by hand from its tables, and the rule for agreement."""

import pytest

from robotr1.ablation import compare, paper


@pytest.mark.parametrize(
    ("run", "other", "difference", "table"),
    [
        ("rloo", "grpo", (0.12 + 0.24 - 0.08 + 0.01) / 4, "Table 7"),
        ("reinforce_plus_plus", "grpo", (-0.04 - 0.22 - 0.14 - 0.13) / 4, "Table 7"),
        ("grpo", "sft_cot", (0.76 - 0.70 + 1.51 - 0.29) / 2, "Table 3"),
        ("cold_start_grpo", "cold_start", (0.24 + 0.10 + 0.0 + 0.03) / 4, "Table 13"),
    ],
)
def test_differences_are_means_over_the_table_s_scores(run, other, difference, table):
    found = paper.in_paper(run, other)
    assert found == (pytest.approx(difference), table)


def test_every_row_is_in_its_table_and_belongs_to_a_comparison():
    made = {(one.run, one.other) for one in compare.COMPARISONS}
    for run, other in paper.ROWS:
        assert (run, other) in made
        assert paper.in_paper(run, other) is not None
    assert paper.in_paper("consistency", "grpo") is None


def test_agreement_needs_one_clear_verdict_and_none_against_it():
    assert paper.agreement(0.1, ["better", "not told apart"]) == "agrees"
    assert paper.agreement(-0.1, ["better", "not told apart"]) == "contradicts"
    assert paper.agreement(-0.1, ["worse"]) == "agrees"
    assert paper.agreement(0.1, ["better", "worse"]) == "mixed"
    assert paper.agreement(0.1, ["not told apart"]) == "not told apart"
