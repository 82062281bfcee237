"""Paired comparisons of policies on the same multiple-choice questions: table and figure."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from robotr1.policies.names import OPEN_FORM
from robotr1.report.results import Results
from robotr1.report.style.figures import SPLIT_STYLES, WIDTH, legend_below
from robotr1.report.style.names import is_reinforced, label, split_title
from robotr1.report.style.tables import find_row, in_order
from robotr1.report.style.text import p_cell, points


def comparison_table(results: Results) -> pd.DataFrame:
    """Paired comparisons over all types together; those of each type are in the CSV."""
    rows = [
        {
            "policy": label(row.policy),
            "against": label(row.baseline),
            "split": row.split,
            "questions": str(row.questions),
            "points": points(row.difference, row.low, row.high),
            "gained / lost": f"{row.gained} / {row.lost}",
            "p (McNemar)": p_cell(row.p_value),
            "p (Holm)": p_cell(row.p_holm),
        }
        for row in in_order(results.comparisons.query("type == 'all'")).itertuples()
    ]
    return pd.DataFrame(rows)


def draw_gains(results: Results) -> Figure | None:
    """Paired differences with their intervals over episodes, all types together.

    Supervised policies that were asked in the open form are shown in that form only.
    """
    table = results.comparisons.query("type == 'all'")
    unfair = {name for name in results.policies if name + OPEN_FORM in results.policies and not is_reinforced(name)}
    table = table[~table["policy"].isin(unfair) & ~table["baseline"].isin(unfair)]
    pairs = list(dict.fromkeys(zip(table["policy"], table["baseline"])))
    if not pairs:
        return None
    figure, axis = plt.subplots(figsize=(WIDTH, 0.9 + 0.42 * len(pairs)), layout="constrained")
    splits = [split for split in results.splits if split in set(table["split"])]
    for number, split in enumerate(splits):
        for place, (policy, baseline) in enumerate(pairs):
            row = find_row(table, policy=policy, baseline=baseline, split=split)
            if row is not None:
                y = place + 0.26 * (number - (len(splits) - 1) / 2)
                span = [[100 * (row["difference"] - row["low"])], [100 * (row["high"] - row["difference"])]]
                look = {"linestyle": "", "label": split_title(split), **SPLIT_STYLES[split]}
                axis.errorbar(100 * row["difference"], y, xerr=np.maximum(span, 0), **look)
    axis.axvline(0, color="black", linewidth=1)
    axis.set_yticks(range(len(pairs)), [f"{label(policy)}\nagainst {label(baseline)}" for policy, baseline in pairs])
    axis.tick_params(axis="y", labelsize="small")
    axis.set(ylim=(len(pairs) - 0.5, -0.5), xlabel="difference in accuracy (points)")
    axis.grid(False, axis="y")
    legend_below(figure)
    return figure
