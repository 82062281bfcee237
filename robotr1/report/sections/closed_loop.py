"""Section "closed loop": the policy's answers move the arm; how many tasks are done."""

import pandas as pd
from matplotlib.figure import Figure

from robotr1.report.film_strip import film_strip, success_and_failure
from robotr1.report.results import HELD_OUT, TRAINED, Results
from robotr1.report.section import Drawing, Section, Table
from robotr1.report.style.figures import dodged, legend_below, stacked
from robotr1.report.style.names import label, ordered
from robotr1.report.style.tables import find_row, in_order
from robotr1.report.style.text import interval, p_cell, p_text, points, whole_percent


def sentences(results: Results) -> list[str]:
    """What the benchmark does and what it found; empty if no policy acted."""
    table = results.closed_loop.query("task == 'all'")
    if not len(table):
        return []
    told = [
        f"{label(row.policy)} {whole_percent(row.success, row.low, row.high)}" for row in in_order(table).itertuples()
    ]
    said = [
        "Here the answers are executed. At each step of the task's script the policy chooses the next waypoint, the "
        "arm moves there, and the policy sees the new image. An episode succeeds if the simulator finds the task done. "
        "The script gives rotation and gripper, and the right position is always among the options. So this is easier "
        "than acting alone.",
        f"Tasks done: {'; '.join(told)}.",
    ]
    for row in results.closed_loop_comparisons.itertuples():
        if row.baseline == "base":
            clear = row.low > 0 or row.high < 0
            said.append(
                f"{label(row.policy)} against its base: {points(row.difference, row.low, row.high)} points "
                f"({p_text(row.p_holm)} after Holm's correction)"
                + ("." if clear else f"; {row.episodes} episodes do not show a difference.")
            )
    return said


def success_table(results: Results) -> pd.DataFrame:
    """One row per task (and over tasks), one column per policy: percent of episodes done with Wilson's interval."""
    table, rows = results.closed_loop, []
    tasks = sorted(set(table["task"]), key=lambda task: (task not in ("all", TRAINED, HELD_OUT), task))
    for task in tasks:
        row = {"task": "all tasks" if task == "all" else task.replace("_", " ")}
        for policy in ordered(table["policy"]):
            if (cell := find_row(table, policy=policy, task=task)) is not None:
                row[label(policy)] = interval(cell["success"], cell["low"], cell["high"])
        row["episodes"] = str(table[table["task"] == task]["episodes"].max())
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def comparison_table(results: Results) -> pd.DataFrame:
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
        for row in in_order(results.closed_loop_comparisons).itertuples()
    ]
    return pd.DataFrame(rows)


def draw_success(results: Results) -> Figure | None:
    """Share of episodes done by each policy: over all tasks, over those trained on, over those never trained on."""
    table = results.closed_loop.rename(columns={"success": "accuracy"})
    tasks = [task for task in ("all", TRAINED, HELD_OUT) if task in set(table["task"])]
    if not tasks:
        return None
    figure, (axis,) = stacked(1, height=2.6)
    dodged(axis, ordered(table["policy"]), tasks, lambda policy, task: find_row(table, policy=policy, task=task))
    axis.set(ylim=(-0.02, 1.04), ylabel="share of episodes done")
    legend_below(figure)
    return figure


def draw_film(results: Results) -> Figure | None:
    """The images of one success and one failure, a trained policy's if there are any."""
    traces = sorted(results.study.closed_loop, key=lambda trace: trace.policy == "base")
    return film_strip(success_and_failure(traces))


SECTION = Section(
    name="closed-loop",
    title="Acting: the closed loop",
    sentences=sentences,
    drawings={
        "closed_loop": Drawing(
            "Whole tasks",
            "Share of episodes in which the task was done, with Wilson intervals over episodes; every policy met the "
            "same placements. Check whether an interval is above that of the random guess.",
            draw_success,
        ),
        "film": Drawing(
            "What the policy saw",
            "The first success and the first failure. Above each image is the position that the policy chose: blue and "
            "\"as the script\" if it is near the script's waypoint, else orange with the script's position below it.",
            draw_film,
        ),
    },
    tables={
        "closed_loop": Table("Episodes done (percent), with intervals over episodes", success_table),
        "closed_loop_comparisons": Table("Paired comparisons on the same placements", comparison_table),
    },
    frames={
        "closed_loop": lambda results: in_order(results.closed_loop),
        "closed_loop_comparisons": lambda results: in_order(results.closed_loop_comparisons),
    },
    published=("embodiedbench",),
)
