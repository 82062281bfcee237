"""The paper's differences for the same comparisons, from its tables of judge scores (0 to 3, on Robot-R1 Bench).

Scales and questions differ from the ablation's, so only the directions can be compared.
"""

from collections.abc import Iterable
from typing import Literal

from robotr1.evaluation.published import read_published

SCORES = ("planning", "high_level_action", "movement", "spatial")
LOW_LEVEL = ("movement_average", "spatial_average")
BASE, COLD_START = "Qwen2.5-VL-7B-Instruct", "CoT SFT on written reasoning"
ROWS = {  # (run, other) of the ablation: the name of the table, and the rows that correspond to them
    ("grpo", "sft_direct"): ("low_level", "+ Robot-R1", "+ Direct SFT"),
    ("grpo", "sft_cot"): ("low_level", "+ Robot-R1", "+ CoT SFT"),
    ("grpo", "base"): ("low_level", "+ Robot-R1", BASE),
    ("rloo", "grpo"): ("algorithms", "RLOO", "GRPO"),
    ("reinforce_plus_plus", "grpo"): ("algorithms", "REINFORCE++", "GRPO"),
    ("waypoint", "grpo"): ("data_design", "multiple choice WP", "multiple choice WP+SP+MP"),
    ("waypoint_state", "grpo"): ("data_design", "multiple choice WP+SP", "multiple choice WP+SP+MP"),
    ("waypoint_state", "waypoint"): ("data_design", "multiple choice WP+SP", "multiple choice WP"),
    ("open", "waypoint_state"): ("data_design", "open-ended WP+SP", "multiple choice WP+SP"),
    ("cold_start_grpo", "cold_start"): ("cold_start", "CoT SFT + Robot-R1", COLD_START),
}
Agreement = Literal["agrees", "contradicts", "mixed", "not told apart"]


def in_paper(run: str, other: str) -> tuple[float, str] | None:
    """The mean difference over a table's scores, and the table's number; None where the paper has no such rows."""
    if (run, other) not in ROWS:
        return None
    name, row, baseline = ROWS[run, other]
    table = read_published(name)
    scores = table.rows.set_index("model")
    columns = [column for column in (*SCORES, *LOW_LEVEL) if column in scores]
    return float((scores.loc[row, columns] - scores.loc[baseline, columns]).mean()), table.table


def agreement(difference: float, verdicts: Iterable[str]) -> Agreement:
    """Compare the paper's direction with the verdicts ("better", "worse", "not told apart") of one comparison."""
    same, opposite = ("better", "worse") if difference > 0 else ("worse", "better")
    found = {same, opposite} & set(verdicts)
    if len(found) == 2:
        return "mixed"
    return {same: "agrees", opposite: "contradicts"}[found.pop()] if found else "not told apart"
