"""Tables, as text, of what is not one policy's multiple choice: free text, judges, whole tasks, several seeds."""

import pandas as pd

from robotr1.evaluation.eb_manipulation.results import SUBSETS
from robotr1.evaluation.spatialrgpt.items import COLUMNS
from robotr1.report.names import ALGORITHM_NAMES, in_order, interval, label, ordered, points
from robotr1.report.results import HELD_OUT, TRAINED, Results, find_row, p_cell

ABILITY_NAMES = {
    "planning": "planning",
    "high_level": "next step",
    "movement": "movement",
    "spatial": "spatial",
}
SPATIAL_ROWS = ("quantitative", "qualitative", *COLUMNS)


def reasoning_table(results: Results) -> pd.DataFrame:
    """One row per policy: the judge's mean score (0 to 3) by ability with its interval over frames, and difference."""
    table, rows = results.reasoning, []
    for policy in ordered(table["policy"]):
        mine = table[(table["policy"] == policy) & (table["distribution"] == "all")]
        row = {"policy": label(policy)}
        for ability, name in ABILITY_NAMES.items():
            if (cell := find_row(mine, ability=ability)) is not None:
                row[name] = f"{cell['score']:.2f} [{cell['frame_low']:.2f}, {cell['frame_high']:.2f}]"
        change = results.reasoning_comparisons.query("policy == @policy and baseline == 'base'")
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


def spatial_table(results: Results) -> pd.DataFrame:
    """One row per sub-column of the benchmark, the averages over questions first, one column per policy: percent right
    with Wilson's interval; then how many answers nothing could be read from."""
    table = results.spatial
    if not len(table):
        return pd.DataFrame()
    asked = table.groupby("column")["questions"].max()
    rows = {name: {"questions about": name, "questions": str(asked[name])} for name in SPATIAL_ROWS if name in asked}
    unread = {"questions about": "no answer to be read", "questions": ""}
    for policy in ordered(table["policy"]):
        mine = table[table["policy"] == policy]
        for name, row in rows.items():
            if (cell := find_row(mine, column=name)) is not None:
                row[label(policy)] = interval(cell["accuracy"], cell["low"], cell["high"])
        unread[label(policy)] = str(mine[mine["column"].isin(SPATIAL_ROWS[:2])]["unreadable"].sum())
    return pd.DataFrame([*rows.values(), unread]).fillna("")


def embodied_table(results: Results) -> pd.DataFrame:
    """One row per subset, one column per policy: percent of EB-Manipulation's episodes done, with Wilson's interval."""
    table, rows = results.embodied, []
    for subset in ("all", *SUBSETS) if len(table) else []:
        row = {"subset": subset.replace("_", " ")}
        for policy in ordered(table["policy"]):
            cell = find_row(table, policy=policy, subset=subset)
            row[label(policy)] = "not played"
            if cell is not None:
                row[label(policy)] = f"{interval(cell['success'], cell['low'], cell['high'])} of {cell['episodes']}"
        rows.append(row)
    return pd.DataFrame(rows)


def acting_table(results: Results) -> pd.DataFrame:
    """One row per task (and over tasks), one column per policy: percent of episodes done with Wilson's interval."""
    table, rows = results.acting, []
    tasks = sorted(set(table["task"]), key=lambda task: (task not in ("all", TRAINED, HELD_OUT), task))
    for task in tasks:
        row = {"task": "all tasks" if task == "all" else task.replace("_", " ")}
        for policy in ordered(table["policy"]):
            if (cell := find_row(table, policy=policy, task=task)) is not None:
                row[label(policy)] = interval(cell["success"], cell["low"], cell["high"])
        row["episodes"] = str(table[table["task"] == task]["episodes"].max())
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def acting_comparison_table(results: Results) -> pd.DataFrame:
    """Paired comparisons of success on the same placements, all tasks together."""
    rows = [
        {
            "policy": label(row.policy),
            "against": label(row.baseline),
            "episodes": str(row.episodes),
            "points": points(row.difference, row.low, row.high),
            "gained / lost": f"{row.gained} / {row.lost}",
            "p (McNemar)": p_cell(row.p_value),
            "p (Holm)": p_cell(row.p_holm),
        }
        for row in in_order(results.acting_comparisons).itertuples()
    ]
    return pd.DataFrame(rows)


def seeds_table(results: Results) -> pd.DataFrame:
    """Algorithms trained with several seeds: pooled accuracy, how the seeds differ, and the gain over the base."""
    rows = []
    for row in results.seeds.query("seeds > 1 and split in @results.test_splits").itertuples():
        rows.append(
            {
                "algorithm": ALGORITHM_NAMES.get(row.algorithm, row.algorithm),
                "split": row.split,
                "type": row.type,
                "seeds": str(row.seeds),
                "all seeds, over episodes": interval(row.accuracy, row.low, row.high),
                "lowest to highest seed": f"{100 * row.lowest:.1f} to {100 * row.highest:.1f}",
                "deviation of seeds": f"{100 * row.deviation:.1f}",
                "gain over base": "" if pd.isna(row.gain) else points(row.gain, row.gain_low, row.gain_high),
            }
        )
    return pd.DataFrame(rows)
