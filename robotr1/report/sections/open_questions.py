"""Section "open questions": a judge's scores of free text, and how far judges agree."""

from typing import Any

import pandas as pd

from robotr1.evaluation.open_questions.results import PEOPLE
from robotr1.policies.names import parse_name
from robotr1.report.results import Results
from robotr1.report.section import Section, Table
from robotr1.report.style.names import label, ordered
from robotr1.report.style.tables import find_row, in_order
from robotr1.report.style.text import p_cell

ABILITY_NAMES = {
    "planning": "planning",
    "high_level": "next step",
    "movement": "movement",
    "spatial": "spatial",
}
JUDGES = {"reference": "this judge", "words": "a judge that only counts common words", PEOPLE: "people"}


def sentences(results: Results) -> list[str]:
    """What the benchmark asks and what it found; empty if it was not run."""
    table = results.open_questions.query("distribution == 'all'")
    if not len(table):
        return []
    items = table[table["policy"] == table["policy"].iloc[0]]["items"].sum()
    asked = table[[not parse_name(policy).control for policy in table["policy"]]]
    judge = table["judge"].iloc[0]
    who = f"the language model {judge}"
    if judge == "reference":
        who = "a deterministic judge, which reads phrases and is stricter than a language model,"
    said = [
        f"{items} questions in free text, modelled on the paper's benchmark, which was not released. Here {who} "
        "compares each answer with a reference from the simulator's true state and gives 0 to 3. The oracle writes the "
        "references themselves. The random guess writes another question's reference, the majority always the most "
        "frequent one, and text only the most frequent one among other images of the same task.",
    ]
    no_language = len(asked) and (asked["no_answer"] >= 0.9 * asked["items"]).all()
    if no_language:
        said.append(
            "The policies of this run score about 0, before and after training, because they write no answer that can "
            "be judged. They learned the form and the few words of the study's own questions, and no other language. "
            "A zero in this table shows nothing about what they see."
        )
    for row in results.agreement.query("group == 'all' and answers > 0").itertuples():
        said.append(_agreement(row) + (" Nearly all of them are guesses of the controls." if no_language else ""))
    return said


def _agreement(row: Any) -> str:
    one, other = (JUDGES.get(name, f"the judge {name}") for name in (row.judge, row.other))
    return (
        f"On {row.answers} answers {one} and {other} give the same score in {row.same:.0%}; Pearson's r "
        f"is {row.pearson:.2f} [{row.pearson_low:.2f}, {row.pearson_high:.2f}] and Cohen's kappa {row.kappa:.2f} "
        f"[{row.kappa_low:.2f}, {row.kappa_high:.2f}]."
    )


def score_table(results: Results) -> pd.DataFrame:
    """One row per policy: the judge's mean score (0 to 3) by ability with its interval over frames, and counts."""
    table, rows = results.open_questions, []
    for policy in ordered(table["policy"]):
        mine = table[(table["policy"] == policy) & (table["distribution"] == "all")]
        row = {"policy": label(policy)}
        for ability, name in ABILITY_NAMES.items():
            if (cell := find_row(mine, ability=ability)) is not None:
                row[name] = f"{cell['score']:.2f} [{cell['frame_low']:.2f}, {cell['frame_high']:.2f}]"
        change = results.open_question_comparisons.query("policy == @policy and baseline == 'base'")
        row["smallest p against base (Holm)"] = p_cell(change["p_holm"].min()) if len(change) else ""
        row["answers"] = str(mine["items"].sum())
        row["no answer"] = str(mine["no_answer"].sum())
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def agreement_table(results: Results) -> pd.DataFrame:
    """One row per pair of judges and ability: equal scores, Pearson's r and Cohen's kappa, intervals over frames."""

    def measured(row: pd.Series, name: str) -> str:
        if pd.isna(row[name]):
            return "not defined"
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return f"{row[name]:.2f}" + ("" if pd.isna(low) else f" [{low:.2f}, {high:.2f}]")

    rows = [
        {
            "judges": f"{row['judge']} and {row['other']}",
            "ability": "all" if row["group"] == "all" else ABILITY_NAMES[row["group"]],
            "answers": str(row["answers"]),
            "same score": f"{row['same']:.0%}",
            "Pearson's r": measured(row, "pearson"),
            "Cohen's kappa": measured(row, "kappa"),
        }
        for _, row in results.agreement.iterrows()
        if row["answers"]
    ]
    return pd.DataFrame(rows)


SECTION = Section(
    name="open-questions",
    title="Open questions",
    sentences=sentences,
    tables={
        "reasoning": Table("Judge's score of free text, 0 to 3, with intervals over frames", score_table),
        "agreement": Table(
            "Agreement of the judges, on answers that were given, without the oracle's; intervals over frames",
            agreement_table,
        ),
    },
    frames={
        "reasoning": lambda results: in_order(results.open_questions),
        "reasoning_comparisons": lambda results: in_order(results.open_question_comparisons),
        "agreement": lambda results: results.agreement,
    },
    published=("high_level", "low_level", "human_agreement"),
)
