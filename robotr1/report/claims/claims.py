"""The paper's claims with its numbers, ours, and the verdict of each: `reports/claims.csv`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.published import read_published
from robotr1.policies.names import parse_name
from robotr1.report.claims.evidence import ablation as from_ablation
from robotr1.report.claims.evidence import gain, open_questions, read_ablation, success
from robotr1.report.claims.rule import Evidence, Verdict, verdict
from robotr1.report.results import Results

OUTPUT = paths.REPORTS / "claims.csv"
COLUMNS = ("claim", "paper", "paper_source", "ours", "low", "high", "n", "seeds", "verdict")
BASE, GRPO, DIRECT, COT = "Qwen2.5-VL-7B-Instruct", "+ Robot-R1", "+ Direct SFT", "+ CoT SFT"
SPLITS = {"test_in": "new episodes", "test_out": "new tasks"}
ABILITIES = {  # ability of our open questions: its name, and its column in the paper's tables
    "planning": ("planning", "planning"),
    "high_level": ("next step", "high_level_action"),
    "movement": ("movement", "movement_average"),
    "spatial": ("spatial", "spatial_average"),
}
WP, WP_SP, ALL = "multiple choice WP", "multiple choice WP+SP", "multiple choice WP+SP+MP"
DESIGN = (  # claim, comparison of the ablation, and the two rows of the paper's table that correspond to it
    ("RLOO − GRPO", "rloo − grpo", "algorithms", "RLOO", "GRPO"),
    ("REINFORCE++ − GRPO", "reinforce_plus_plus − grpo", "algorithms", "REINFORCE++", "GRPO"),
    ("waypoint + state questions − waypoint alone", "waypoint_state − waypoint", "data_design", WP_SP, WP),
    ("waypoint + state questions − all types", "waypoint_state − grpo", "data_design", WP_SP, ALL),
    ("open reward − multiple choice", "open − waypoint_state", "data_design", "open-ended WP+SP", WP_SP),
    (
        "cold start and RL − cold start",
        "cold_start_grpo − cold_start",
        "cold_start",
        "CoT SFT + Robot-R1",
        "CoT SFT on written reasoning",
    ),
)
OPEN = "score of open questions, 0 to 3"
ACCURACY = "accuracy, points"
SUCCESS = "success, points"


@dataclass(frozen=True)
class Claim:
    """One claim: what differs, in which unit, the paper's difference and its source, and our evidence."""

    text: str
    unit: str  # OPEN, ACCURACY or SUCCESS
    paper: float | None  # None: the paper shows the direction without a number; it is then a gain
    source: str
    evidence: Evidence | None

    @property
    def verdict(self) -> Verdict:
        return verdict(1.0 if self.paper is None else self.paper, self.evidence)


def make_claims(results: Results, ablation: dict[str, Any] | None = None) -> list[Claim]:
    """All claims with the evidence that there is; `ablation` are its differences, by default the committed ones."""
    differences = read_ablation() if ablation is None else ablation
    return [
        *_improves(results, differences),
        *_abilities(results),
        *_imitation(results, differences),
        *_acting(results),
        *_design(differences),
    ]


def _improves(results: Results, differences: dict[str, Any]) -> list[Claim]:
    """RL improves its base on the trained questions, and on new tasks: the study's seeds, or the ablation's if more."""
    claims = []
    outside = _published("low_level", GRPO, BASE, ["movement_out", "spatial_out"])
    for split, paper, source in (
        ("test_in", None, "Figure 11, a curve without numbers"),
        ("test_out", outside, "Table 3, out-of-distribution tasks, judge score 0-3"),
    ):
        found = [gain(results, split), from_ablation(differences, "grpo − base", split)]
        best = max((one for one in found if one), key=lambda one: one.seeds, default=None)
        claims.append(Claim(f"RL improves its base: multiple choice, {SPLITS[split]}", ACCURACY, paper, source, best))
    return claims


def _abilities(results: Results) -> list[Claim]:
    """RL against its base on each open ability, on which it never trained; the paper's own score of planning falls."""
    claims = []
    for ability, (name, column) in ABILITIES.items():
        paper = _open(GRPO, BASE, column)
        text = f"RL {'improves' if paper > 0 else 'weakens'} its base: {name}"
        found = open_questions(results, _seeds(results), "base", [ability])
        claims.append(Claim(text, OPEN, paper, "Tables 2 and 3, judge score 0-3", found))
    return claims


def _imitation(results: Results, differences: dict[str, Any]) -> list[Claim]:
    """RL beats supervised fine-tuning, and supervised fine-tuning loses the open form."""
    claims, columns = [], [column for _, column in ABILITIES.values()]
    source = "Tables 2 and 3, mean of four abilities, judge score 0-3"
    for name, row, form in (("direct SFT", DIRECT, "direct"), ("CoT SFT", COT, "cot")):
        better, worse = (mean(_open(*pair, column) for column in columns) for pair in ((GRPO, row), (row, BASE)))
        found = open_questions(results, _seeds(results), f"sft-{form}", ABILITIES)
        claims.append(Claim(f"RL beats {name}: open questions", OPEN, better, source, found))
        for split, where in SPLITS.items():
            evidence = from_ablation(differences, f"grpo − sft_{form}, open form", split)
            claims.append(Claim(f"RL beats {name}: waypoint and state, {where}", ACCURACY, better, source, evidence))
        found = open_questions(results, [f"sft-{form}"], "base", ABILITIES)
        claims.append(Claim(f"{name} loses the open questions", OPEN, worse, source, found))
    return claims


def _acting(results: Results) -> list[Claim]:
    """RL improves acting: whole tasks in the closed loop, and in EB-Manipulation's form."""
    source = "Table 4, EB-Manipulation, success in percent"
    paper, seeds = _published("embodiedbench", GRPO, BASE, ["average"]), _seeds(results)
    study = results.study
    loop, discrete = (success(results, rows, seeds) for rows in (study.closed_loop, study.eb_manipulation))
    return [
        Claim("RL improves acting: the closed loop", SUCCESS, paper, source, loop),
        Claim("RL improves acting: EB-Manipulation's form", SUCCESS, paper, source, discrete),
    ]


def _design(differences: dict[str, Any]) -> list[Claim]:
    """Algorithms, question types, open reward and cold start: comparisons of the ablation."""
    claims = []
    for text, comparison, table, row, baseline in DESIGN:
        published = read_published(table)
        columns = [name for name in ("planning", "high_level_action", "movement", "spatial") if name in published.rows]
        paper = _published(table, row, baseline, columns)
        source = f"{published.table}, mean of {len(columns)} abilities, judge score 0-3"
        for split, where in SPLITS.items():
            evidence = from_ablation(differences, comparison, split)
            claims.append(Claim(f"{text}: {where}", ACCURACY, paper, source, evidence))
    return claims


def _seeds(results: Results) -> list[str]:
    """GRPO's policies, one for each seed."""
    return [policy for policy in results.policies if (name := parse_name(policy)).algorithm == "grpo" and name.plain]


def _open(row: str, baseline: str, column: str) -> float:
    """The paper's difference of two models on one ability."""
    table = "high_level" if column in ("planning", "high_level_action") else "low_level"
    return _published(table, row, baseline, [column])


def _published(table: str, row: str, baseline: str, columns: Sequence[str]) -> float:
    """The difference of two rows of a published table, mean over `columns`."""
    scores = read_published(table).rows.set_index("model")[list(columns)].astype(float)
    return float((scores.loc[row] - scores.loc[baseline]).mean())


def claims_frame(claims: Sequence[Claim]) -> pd.DataFrame:
    """One row per claim with COLUMNS; numbers of claims that were not run are missing."""
    rows = [
        {
            "claim": f"{claim.text} ({claim.unit})",
            "paper": "+" if claim.paper is None else f"{claim.paper:+.2f}",
            "paper_source": claim.source,
            "ours": claim.evidence and claim.evidence.difference,
            "low": claim.evidence and claim.evidence.low,
            "high": claim.evidence and claim.evidence.high,
            "n": claim.evidence and claim.evidence.n,
            "seeds": claim.evidence and claim.evidence.seeds,
            "verdict": claim.verdict,
        }
        for claim in claims
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64", "seeds": "Int64"})


def write_claims(results: Results, output: Path = OUTPUT) -> None:
    """Write the claims as CSV, one row each."""
    text = claims_frame(make_claims(results)).to_csv(index=False, float_format="%.6g", lineterminator="\n")
    paths.write_text(output, text)
