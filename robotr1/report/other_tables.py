"""Tables, as text, of what is not one policy's multiple choice: free text, whole tasks, and several seeds."""

import pandas as pd

from robotr1.report.names import ALGORITHM_NAMES, in_order, interval, label, ordered, points
from robotr1.report.results import HELD_OUT, TRAINED, Results, find_row

ABILITY_NAMES = {
    "planning": "planning",
    "high_level": "next step",
    "movement": "movement",
    "spatial": "spatial",
}


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
        row["smallest p against base (Holm)"] = f"{change['p_holm'].min():.2g}" if len(change) else ""
        row["answers"] = str(mine["items"].sum())
        row["no answer"] = str(mine["no_answer"].sum())
        row["judge"] = mine["judge"].iloc[0]
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


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
            "p (McNemar)": f"{row.p_value:.2g}",
            "p (Holm)": f"{row.p_holm:.2g}",
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
