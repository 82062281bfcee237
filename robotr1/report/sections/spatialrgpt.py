"""Section "SpatialRGPT-Bench": lengths, clock directions and relations of marked regions."""

import pandas as pd

from robotr1.evaluation.spatialrgpt.items import COLUMNS
from robotr1.policies.names import parse_name
from robotr1.report.results import Results
from robotr1.report.section import Section, Table
from robotr1.report.style.names import label, ordered
from robotr1.report.style.tables import find_row, in_order
from robotr1.report.style.text import interval

AVERAGES = ("quantitative", "qualitative")


def sentences(results: Results) -> list[str]:
    """What the benchmark asks and what it found; empty if it was not run."""
    if not len(results.spatialrgpt):
        return []
    averages = results.spatialrgpt[results.spatialrgpt["column"].isin(AVERAGES)]
    policies = averages[[not parse_name(policy).control for policy in averages["policy"]]]
    items = averages[averages["policy"] == "oracle"]["questions"].sum()
    said = [
        f"{items} questions in the form of SpatialRGPT-Bench about regions marked in our own scenes; they are not the "
        "published questions. A length is right within 25 percent, a clock direction within one hour; the others ask "
        "for relations. Rules read the answers, while the benchmark itself uses a language model.",
    ]
    if len(policies) and (policies["unreadable"] >= 0.9 * policies["questions"]).all():
        said.append(
            "Nearly all answers of this run's policies are unreadable: their training held no such question. The "
            "oracle and the two guesses show what the table can measure."
        )
    return said


def accuracy_table(results: Results) -> pd.DataFrame:
    """One row per kind of question, the two averages first, one column per policy: percent right with Wilson's
    interval; then how many answers were unreadable."""
    table = results.spatialrgpt
    if not len(table):
        return pd.DataFrame()
    asked = table.groupby("column")["questions"].max()
    names = [name for name in (*AVERAGES, *COLUMNS) if name in asked]
    rows = {name: {"questions about": name, "questions": str(asked[name])} for name in names}
    unread = {"questions about": "no answer to be read", "questions": ""}
    for policy in ordered(table["policy"]):
        mine = table[table["policy"] == policy]
        for name, row in rows.items():
            if (cell := find_row(mine, column=name)) is not None:
                row[label(policy)] = interval(cell["accuracy"], cell["low"], cell["high"])
        unread[label(policy)] = str(mine[mine["column"].isin(AVERAGES)]["unreadable"].sum())
    return pd.DataFrame([*rows.values(), unread]).fillna("")


SECTION = Section(
    name="spatialrgpt",
    title="Lengths and relations",
    sentences=sentences,
    tables={
        "spatial": Table(
            "Percent right in the form of SpatialRGPT-Bench, with intervals over questions", accuracy_table
        )
    },
    frames={"spatial": lambda results: in_order(results.spatialrgpt)},
    published=("spatialrgpt_quantitative", "spatialrgpt_qualitative"),
)
