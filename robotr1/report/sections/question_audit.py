"""Section "shortcut audit": what policies that never see the image reach, for each distractor strategy."""

import pandas as pd

from robotr1.report.results import Results
from robotr1.report.section import Section, Table
from robotr1.report.style.text import interval


def audit_table(results: Results) -> pd.DataFrame:
    """One row per distractor strategy: the best of five policies without the image, by question type."""
    rows: dict[tuple[str, bool], dict[str, str]] = {}
    for row in results.study.question_audit.itertuples():
        if row.split == "test_in":
            cells = {"distractors": row.strategy, "prompt states the gripper": "yes" if row.stated else "no"}
            cells = rows.setdefault((row.strategy, row.stated), cells)
            cells[row.type] = f"{interval(row.accuracy, row.low, row.high)} ({row.policy})"
    return pd.DataFrame(rows.values()).fillna("")


SECTION = Section(
    name="question-audit",
    title="Shortcut audit",
    tables={
        "shortcut_audit": Table("The best blind guess for each distractor strategy", audit_table, folded=True),
    },
    frames={"shortcut_audit": lambda results: results.study.question_audit},
)
