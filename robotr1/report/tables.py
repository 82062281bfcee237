"""Tables of the report: CSV with all digits for programs, markdown and rows of text for readers."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.evaluation.published import published_tables
from robotr1.policies.names import OPEN_FORM
from robotr1.report.faithfulness import faithfulness_change_table, faithfulness_table
from robotr1.report.names import SPLIT_NAMES, compared, in_order, interval, label, ordered, points
from robotr1.report.other_tables import (
    acting_comparison_table,
    acting_table,
    agreement_table,
    embodied_table,
    reasoning_table,
    seeds_table,
    spatial_table,
)
from robotr1.report.places import places_table
from robotr1.report.results import Results, find_row, p_cell

CURVES = ("reward", "accuracy", "length", "zero_std", "truncated", "entropy", "kl", "loss", "token_accuracy")
MEASURE_NAMES = {
    "agrees": "letter fits the words",
    "names": "names the right thing",
    "close": "position near the true one",
}


def write_tables(results: Results, folder: Path = paths.TABLES) -> None:
    """Write every table as `<name>.csv` and `<name>.md`."""
    for name, table in full_tables(results).items():
        paths.write_text(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    for name, table in reading_tables(results).items():
        paths.write_text(folder / f"{name}.md", markdown(table))


def full_tables(results: Results) -> dict[str, pd.DataFrame]:
    """The computed frames by file name, policies in the report's order."""
    tables = {
        "accuracy": results.accuracy,
        "accuracy_by_task": results.by_task,
        "comparisons": results.comparisons,
        "consistency": results.consistency,
        "consistency_change": results.consistency_change,
    }
    tables |= {
        "faithfulness": results.faithfulness,
        "faithfulness_changes": results.faithfulness_changes,
        "reasoning": results.reasoning,
        "reasoning_comparisons": results.reasoning_comparisons,
        "closed_loop": results.acting,
        "closed_loop_comparisons": results.acting_comparisons,
        "spatial": results.spatial,
        "embodied": results.embodied,
    }
    tables = {name: in_order(table) for name, table in tables.items() if len(table)}
    tables |= {"agreement": results.agreement} if len(results.agreement) else {}
    tables |= {"seeds": results.seeds} if len(results.seeds) else {}
    tables |= {"training": training_table(results)} if results.training else {}
    return tables | ({"shortcut_audit": results.strategies} if len(results.strategies) else {})


def training_table(results: Results) -> pd.DataFrame:
    """The training logs one below the other: policy, step, and what the curves show (`dvc plots` draws them)."""
    columns = ["policy", "step", *CURVES]
    logs = [log.assign(policy=policy).reindex(columns=columns) for policy, log in results.training.items()]
    return pd.concat([log.dropna(axis="columns", how="all") for log in logs]).reindex(columns=columns)


def reading_tables(results: Results) -> dict[str, pd.DataFrame]:
    """The tables as text, by file name: percentages with their intervals."""
    splits = sorted(results.splits, key=lambda split: split == "validation")
    tables = {f"accuracy_{split}": accuracy_table(results, split) for split in splits}
    tables["seeds"] = seeds_table(results)
    tables["accuracy_by_task"] = task_table(results)
    tables["comparisons"] = comparison_table(results)
    tables["consistency"] = consistency_table(results)
    tables["consistency_change"] = change_table(results)
    tables["places"] = places_table(results)
    tables["faithfulness"] = faithfulness_table(results)
    tables["faithfulness_changes"] = faithfulness_change_table(results)
    tables["shortcut_audit"] = strategy_table(results)
    tables["reasoning"] = reasoning_table(results)
    tables["agreement"] = agreement_table(results)
    tables["spatial"] = spatial_table(results)
    tables["embodied"] = embodied_table(results)
    tables["closed_loop"] = acting_table(results)
    tables["closed_loop_comparisons"] = acting_comparison_table(results)
    return {name: table for name, table in tables.items() if len(table)}


def accuracy_table(results: Results, split: str) -> pd.DataFrame:
    """One row per policy: accuracy by type in percent with Wilson's interval, counts, and the blind guess last.

    A star at "all" says that movement questions are not in it: they have no own form.
    """
    table = results.accuracy[results.accuracy["split"] == split]
    kinds = [kind for kind in TYPES if kind in set(table["type"])]
    rows = []
    for policy in ordered(table["policy"]):
        mine = table[table["policy"] == policy]
        total = find_row(mine, type="all")
        row = {"policy": label(policy)}
        for kind in kinds:
            cell = find_row(mine, type=kind)
            row[kind] = "not asked" if cell is None else interval(cell["accuracy"], cell["low"], cell["high"])
        if policy.endswith(OPEN_FORM):
            row["all"] += " *"
        row |= {"questions": str(total["questions"]), "unparsable": str(total["unparsable"])}
        rows.append(row)
    blind = find_row(table, policy="base", type="all")
    title = {"policy": "best blind guess / chance"}
    if blind is not None and pd.notna(blind["blind"]):
        cells = {kind: find_row(table, policy="base", type=kind) for kind in kinds}
        rows.append(title | {kind: f"{cell['blind']:.1%} / {results.chance:.1%}" for kind, cell in cells.items()})
    return pd.DataFrame(rows).fillna("")


def task_table(results: Results) -> pd.DataFrame:
    """One row per task of the splits that figures show; held-out tasks are marked. Columns are the blind guess, the
    base, and each trained policy as it was trained to answer; the CSV has all."""
    table = results.by_task[results.by_task["split"].isin(results.test_splits)]
    shown = ["text_only", *compared(results.policies)]
    rows: dict[str, dict[str, str]] = {}
    for cell in in_order(table[table["policy"].isin(shown)]).sort_values("split", kind="stable").itertuples():
        task = cell.task.replace("_", " ") + (" (never trained on)" if cell.split == "test_out" else "")
        star = " *" if cell.policy.endswith(OPEN_FORM) else ""
        rows.setdefault(task, {"task": task})[label(cell.policy)] = interval(cell.accuracy, cell.low, cell.high) + star
    return pd.DataFrame(rows.values()).fillna("")


def comparison_table(results: Results) -> pd.DataFrame:
    """Paired comparisons over all types together; those of each type are in the CSV."""
    table = in_order(results.comparisons.query("type == 'all'"))
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
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows)


def consistency_table(results: Results) -> pd.DataFrame:
    """How far words and letter fit, types pooled: percent with Wilson's interval, and of how many completions."""
    table = in_order(results.consistency.query("type == 'all'"))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in table.itertuples():
        cells = rows.setdefault((row.split, row.policy), {"split": row.split, "policy": label(row.policy)})
        share = interval(row.share, row.low, row.high) if row.questions else "none measurable"
        cells[MEASURE_NAMES[row.measure]] = f"{share} ({row.questions} of {row.completions})"
    return pd.DataFrame(sorted(rows.values(), key=lambda row: results.splits.index(row["split"])))


def change_table(results: Results) -> pd.DataFrame:
    """The paired change of the consistency shares from the base to each reinforced policy."""
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


def strategy_table(results: Results) -> pd.DataFrame:
    """What the best of five policies that never see the image reaches for every way to draw wrong options."""
    rows: dict[tuple[str, bool], dict[str, str]] = {}
    for row in results.strategies.itertuples():
        if row.split == "test_in":
            cells = {"wrong options": row.strategy, "prompt states the gripper": "yes" if row.stated else "no"}
            cells = rows.setdefault((row.strategy, row.stated), cells)
            cells[row.type] = f"{interval(row.accuracy, row.low, row.high)} ({row.policy})"
    return pd.DataFrame(rows.values()).fillna("")


def published_reading_tables(names: Sequence[str] | None = None) -> dict[str, pd.DataFrame]:
    """The paper's tables (all, or those named) as text, by a caption that names the table and its scale."""
    return {
        f"{table.table}: {table.title} ({table.scale})": table.rows.rename(columns=lambda name: name.replace("_", " "))
        for table in published_tables().values()
        if names is None or table.name in names
    }


def markdown(table: pd.DataFrame) -> str:
    """A markdown table; "|" and line ends in cells are escaped."""
    lines = [list(map(str, table.columns)), ["---"] * len(table.columns), *table.astype(str).values.tolist()]
    return "".join(f"| {' | '.join(_escaped(line))} |\n" for line in lines)


def plain(table: pd.DataFrame) -> str:
    """The table as aligned text for a terminal."""
    lines = [list(map(str, table.columns)), *table.astype(str).values.tolist()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.columns))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def split_title(split: str) -> str:
    return SPLIT_NAMES.get(split, split)


def _escaped(cells: Sequence[str]) -> list[str]:
    return [cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells]
