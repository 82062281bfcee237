"""Section "multiple choice": accuracy by question type and task, paired comparisons, blank images."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from robotr1.evaluation.multiple_choice.items import SPLITS
from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.policies.names import BLANK, OPEN_FORM
from robotr1.report.results import Results
from robotr1.report.section import Drawing, Section, Table
from robotr1.report.sections.comparisons import comparison_table, draw_gains
from robotr1.report.style.figures import chance_line, dodged, legend_below, point, stacked
from robotr1.report.style.names import compared, label, ordered, split_title
from robotr1.report.style.tables import find_row, in_order
from robotr1.report.style.text import interval

SIGHT = {
    "real image": {"color": "#0072B2", "marker": "D"},
    "blank image": {"color": "#7F7F7F", "marker": "o"},
}


def sentences(results: Results) -> list[str]:
    """How to read the section's numbers."""
    return [
        f"Percent right, with Wilson's {results.settings.confidence:.0%} intervals over questions in brackets. "
        "A completion is unparsable if no single letter can be read from it; it counts as wrong. "
        "`reports/tables/*.csv` holds all digits, each question type, and intervals over episodes."
    ]


def accuracy_table(results: Results, split: str) -> pd.DataFrame:
    """One row per policy: accuracy by type in percent with Wilson's interval, counts, and last the blind guess.

    A star at "all" means that movement questions are not in it: they have no open form.
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
    """One row per test task; held-out tasks are marked. Columns are the blind guess, the base, and each trained policy
    in the form that it was trained on; the CSV has all policies."""
    table = results.accuracy_by_task[results.accuracy_by_task["split"].isin(results.test_splits)]
    shown = ["text_only", *compared(results.policies)]
    rows: dict[str, dict[str, str]] = {}
    for cell in in_order(table[table["policy"].isin(shown)]).sort_values("split", kind="stable").itertuples():
        task = cell.task.replace("_", " ") + (" (never trained on)" if cell.split == "test_out" else "")
        star = " *" if cell.policy.endswith(OPEN_FORM) else ""
        rows.setdefault(task, {"task": task})[label(cell.policy)] = interval(cell.accuracy, cell.low, cell.high) + star
    return pd.DataFrame(rows.values()).fillna("")


def draw_accuracy(results: Results) -> Figure | None:
    """Accuracy by question type, one panel per split, with the blind reference and chance.

    Supervised policies are shown in the open form if they were asked in it. That form has no movement questions, so
    they have no point under "all".
    """
    shown = compared(results.policies)
    if not shown:
        return None
    kinds = [kind for kind in TYPES if kind in set(results.accuracy["type"])]
    figure, axes = stacked(len(results.test_splits), height=2.3)
    for axis, split in zip(axes, results.test_splits):
        table = results.accuracy[results.accuracy["split"] == split]
        fair = table[~(table["policy"].str.endswith(OPEN_FORM) & (table["type"] == "all"))]
        dodged(axis, shown, kinds, lambda policy, kind, fair=fair: find_row(fair, policy=policy, type=kind))
        for place, kind in enumerate(kinds):
            blind = find_row(table, type=kind)
            if blind is not None and pd.notna(blind["blind"]):
                axis.hlines(blind["blind"], place - 0.42, place + 0.42, color="black", linewidth=1.6, label="text only")
        chance_line(axis, results.chance)
        axis.set(ylim=(0, 1.05), ylabel="accuracy", title=split_title(split))
    legend_below(figure)
    return figure


def draw_blank_images(results: Results) -> Figure | None:
    """Accuracy with the real image and with a grey one, one panel per split."""
    policies = [policy for policy in results.policies if policy + BLANK in results.policies]
    asked = results.accuracy[results.accuracy["policy"].isin([policy + BLANK for policy in policies])]
    splits = [split for split in results.splits if split in set(asked["split"])]
    if not splits:
        return None
    figure, axes = stacked(len(splits), height=2.0)
    for axis, split in zip(axes, splits):
        table = results.accuracy.query("split == @split and type == 'all'")
        for ending, shift, (words, look) in zip(("", BLANK), (-0.12, 0.12), SIGHT.items()):
            for place, policy in enumerate(policies):
                row = find_row(table, policy=policy + ending)
                if row is not None:
                    point(axis, place + shift, row["accuracy"], row["low"], row["high"], look, words)
        if len(table) and pd.notna(table["blind"].iloc[0]):
            axis.axhline(table["blind"].iloc[0], color="black", linewidth=1.6, label="text only")
        chance_line(axis, results.chance)
        axis.set(ylim=(0, 1.05), xlim=(-0.5, len(policies) - 0.5), ylabel="accuracy", title=split_title(split))
        axis.set_xticks(range(len(policies)), [label(policy) for policy in policies])
        axis.grid(False, axis="x")
    legend_below(figure)
    return figure


SECTION = Section(
    name="multiple-choice",
    title="Multiple choice",
    sentences=sentences,
    drawings={
        "accuracy": Drawing(
            "Accuracy by question type",
            "Share right, with Wilson intervals over questions. The horizontal bars show the best guess from the text "
            "alone, without the image; only what is above them comes from the image. Compare each policy with the base "
            "beside it, and the upper panel with the lower. Supervised policies answer in the open form that they were "
            "trained on; the option nearest to their position is taken.",
            draw_accuracy,
        ),
        "gains": Drawing(
            "Differences on the same questions",
            "Right of the line, the first policy is better. Differences over all types, with bootstrap intervals over "
            "whole episodes; an interval that touches the line shows no difference. Supervised policies are compared "
            "in their open form, on waypoint and state questions.",
            draw_gains,
        ),
        "blank_images": Drawing(
            "Does the policy use the image?",
            "The same policies answer the same questions with a grey image. A policy that uses the image falls toward "
            "the text-only line. A policy that learned a shortcut in the text stays where it was.",
            draw_blank_images,
        ),
    },
    tables={
        **{
            f"accuracy_{split}": Table(
                f"Accuracy: {split_title(split)} (* without movement questions)",
                partial(accuracy_table, split=split),
                folded=not split.startswith("test"),
            )
            for split in (*SPLITS[1:], SPLITS[0])
        },
        "comparisons": Table("Paired comparisons on the same questions", comparison_table, folded=True),
        "accuracy_by_task": Table("Accuracy by task (* without movement questions)", task_table, folded=True),
    },
    frames={
        "accuracy": lambda results: in_order(results.accuracy),
        "accuracy_by_task": lambda results: in_order(results.accuracy_by_task),
        "comparisons": lambda results: in_order(results.comparisons),
    },
)
