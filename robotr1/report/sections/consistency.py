"""Section "consistency": does the written thought fit the chosen letter and the scene?"""

import pandas as pd
from matplotlib.figure import Figure

from robotr1.evaluation.multiple_choice.consistency import MEASURES
from robotr1.report.results import Results
from robotr1.report.section import Drawing, Section, Table
from robotr1.report.style.figures import dodged, legend_below, stacked
from robotr1.report.style.names import is_reinforced, label, ordered, split_title
from robotr1.report.style.tables import find_row, in_order
from robotr1.report.style.text import interval, p_cell, points

MEASURE_NAMES = {
    "agrees": "letter fits the words",
    "names": "names the right object",
    "close": "position near the true one",
}


def consistency_table(results: Results) -> pd.DataFrame:
    """One row per split and policy, types pooled: percent with Wilson's interval, and of how many completions."""
    table = in_order(results.consistency.query("type == 'all'"))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in table.itertuples():
        cells = rows.setdefault((row.split, row.policy), {"split": row.split, "policy": label(row.policy)})
        share = interval(row.share, row.low, row.high) if row.questions else "none measurable"
        cells[MEASURE_NAMES[row.measure]] = f"{share} ({row.questions} of {row.completions})"
    return pd.DataFrame(sorted(rows.values(), key=lambda row: results.splits.index(row["split"])))


def change_table(results: Results) -> pd.DataFrame:
    """The paired change of each share from the base to each reinforced policy."""
    rows = [
        {
            "policy": label(row.policy),
            "against": label(row.baseline),
            "split": row.split,
            "measure": MEASURE_NAMES[row.measure],
            "completions": str(row.questions),
            "points": points(row.difference, row.low, row.high),
            "p (Holm)": p_cell(row.p_holm),
        }
        for row in in_order(results.consistency_change).itertuples()
    ]
    return pd.DataFrame(rows)


def draw_consistency(results: Results) -> Figure | None:
    """The three shares before and after reinforcement learning, one panel per split."""
    table = results.consistency.query("type == 'all' and questions > 0")
    shown = [policy for policy in ordered(table["policy"]) if policy == "base" or is_reinforced(policy)]
    splits = [split for split in results.test_splits if split in set(table["split"])]
    if not shown or not splits:
        return None
    figure, axes = stacked(len(splits), height=2.0)
    for axis, split in zip(axes, splits):
        rows = table[table["split"] == split].rename(columns={"share": "accuracy"})
        dodged(axis, shown, MEASURES, lambda policy, name, rows=rows: find_row(rows, policy=policy, measure=name))
        axis.set_xticks(range(len(MEASURES)), [MEASURE_NAMES[measure].replace(" ", "\n", 1) for measure in MEASURES])
        axis.set(ylim=(0, 1.05), ylabel="share of completions", title=split_title(split))
    legend_below(figure)
    return figure


SECTION = Section(
    name="consistency",
    title="Do the words fit the answer?",
    drawings={
        "consistency": Drawing(
            "Words and answer",
            "Left: the chosen letter is the option nearest to the position (or movement) in the thought. Middle: the "
            "thought names the object that the question is about. Right: the written position is near the true one. If "
            "the left share is far below one, the words are not the reason for the letter. If the right share falls, "
            "the words are less true than before.",
            draw_consistency,
        )
    },
    tables={
        "consistency": Table("Do the words fit the letter and the scene?", consistency_table, folded=True),
        "consistency_change": Table("Change of the words with reinforcement learning", change_table, folded=True),
    },
    frames={
        "consistency": lambda results: in_order(results.consistency),
        "consistency_change": lambda results: in_order(results.consistency_change),
    },
)
