"""Section "EB-Manipulation": whole tasks by discrete actions, in EmbodiedBench's protocol."""

import pandas as pd

from robotr1.evaluation.eb_manipulation.results import SUBSETS
from robotr1.report.results import Results
from robotr1.report.section import Section, Table
from robotr1.report.style.names import label, ordered
from robotr1.report.style.tables import find_row, in_order
from robotr1.report.style.text import interval


def sentences(results: Results) -> list[str]:
    """What the benchmark does and what the table shows; empty if it was not run."""
    if not len(results.eb_manipulation):
        return []
    said = [
        "EmbodiedBench's manipulation protocol on the tabletop. The prompt states the objects' coordinates; a policy "
        "writes at most 15 actions of seven numbers, in steps of 1 cm and 3 degrees; only success counts. Scenes are "
        "chosen so that such actions can reach the expert's waypoints. So the oracle must succeed in all, and random "
        "actions in almost none. The subsets describe the same scenes in other words. Random actions do not read "
        "words, so they were played in one subset only.",
    ]
    if set(results.eb_manipulation["policy"]) <= {"oracle", "random"}:
        said.append(
            "No policy of this run was tested, since none was trained on such plans. "
            "`python -m robotr1.evaluation.eb_manipulation --policy NAME` tests one."
        )
    return said


def success_table(results: Results) -> pd.DataFrame:
    """One row per subset, one column per policy: percent of episodes done, with Wilson's interval."""
    table, rows = results.eb_manipulation, []
    for subset in ("all", *SUBSETS) if len(table) else []:
        row = {"subset": subset.replace("_", " ")}
        for policy in ordered(table["policy"]):
            cell = find_row(table, policy=policy, subset=subset)
            row[label(policy)] = "not played"
            if cell is not None:
                row[label(policy)] = f"{interval(cell['success'], cell['low'], cell['high'])} of {cell['episodes']}"
        rows.append(row)
    return pd.DataFrame(rows)


SECTION = Section(
    name="eb-manipulation",
    title="Discrete actions",
    sentences=sentences,
    tables={
        "embodied": Table("Whole tasks by discrete actions: percent done, with intervals over episodes", success_table)
    },
    frames={"embodied": lambda results: in_order(results.eb_manipulation)},
)
