"""Claims of the paper: their numbers, verdicts, CSV and section."""

import pandas as pd
from synthetic_study import predictions, questions, results, results_of

from robotr1.report.claims.claims import COLUMNS, DESIGN, OUTPUT, claims_frame, make_claims, write_claims
from robotr1.report.claims.rule import VERDICTS
from robotr1.report.claims.section import claims_table, draw_claims, sentences

BETTER = {"difference": 0.1, "low": 0.05, "high": 0.15, "verdict": "better", "seeds": 3}
EVERY = {comparison: {"test_in": BETTER, "test_out": BETTER} for _, comparison, *_ in DESIGN}


def claimed(ablation):
    return {claim.text: claim for claim in make_claims(results(), ablation)}


def test_the_paper_s_numbers_are_differences_of_its_tables():
    claims = claimed({})
    assert round(claims["RL improves its base: next step"].paper, 2) == 0.26  # 1.30 - 1.04, Table 2
    assert round(claims["RL weakens its base: planning"].paper, 2) == -0.22  # 1.44 - 1.66, Table 2
    assert round(claims["RL improves its base: spatial"].paper, 2) == 0.11  # 1.51 - 1.40, Table 3
    assert round(claims["RL improves acting: the closed loop"].paper, 2) == 2.76  # 11.68 - 8.92, Table 4
    assert round(claims["RLOO − GRPO: new tasks"].paper, 4) == 0.0725  # mean of +.12, +.24, -.08, +.01, Table 7


def test_without_an_ablation_its_claims_were_not_run():
    verdicts = {text: claim.verdict for text, claim in claimed({}).items()}
    assert verdicts["RLOO − GRPO: new episodes"] == "not run"
    assert verdicts["RL improves acting: EB-Manipulation's form"] == "not run", "only its controls played"
    assert verdicts["RL improves its base: multiple choice, new episodes"] == "not told apart", "one seed"


def test_the_ablation_s_differences_get_verdicts():
    verdicts = {text: claim.verdict for text, claim in claimed(EVERY).items()}
    assert verdicts["RLOO − GRPO: new episodes"] == "agrees"
    assert verdicts["open reward − multiple choice: new tasks"] == "contradicts"


def test_more_seeds_are_preferred():
    claims = claimed({"grpo − base": {"test_in": BETTER}})
    assert claims["RL improves its base: multiple choice, new episodes"].evidence.seeds == 3
    assert claims["RL improves its base: multiple choice, new tasks"].evidence.seeds == 1


def test_csv_has_one_row_per_claim(tmp_path):
    write_claims(results(), tmp_path / OUTPUT.name)
    table = pd.read_csv(tmp_path / OUTPUT.name)
    assert tuple(table) == COLUMNS
    assert len(table) == len(make_claims(results())) == table["claim"].nunique()
    assert set(table["verdict"]) <= set(VERDICTS)
    run = table["verdict"] != "not run"
    assert table.loc[run, ["ours", "seeds"]].notna().all(axis=None)
    assert table.loc[~run, ["ours", "low", "high", "n", "seeds"]].isna().all(axis=None)
    assert (table.loc[run, "low"] <= table.loc[run, "high"]).all()


def test_a_study_without_policies_claims_nothing():
    asked = questions()
    nothing = results_of([p for p in predictions(asked) if p.policy == "random"], asked)
    assert {claim.verdict for claim in make_claims(nothing, {})} == {"not run"}
    assert claims_frame(make_claims(nothing, {}))["ours"].isna().all()


def test_the_section_counts_the_verdicts():
    rule, counted = sentences(results())
    assert "at least 3 training seeds" in rule
    verdicts = claims_table(results())["verdict"]
    for word in VERDICTS:
        assert f"{(verdicts == word).sum()} {word}" in counted
    assert len(draw_claims(results()).axes) == 3
