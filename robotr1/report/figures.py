"""Figures of the report: narrow enough for a phone, in colours and markers that the colour-blind can tell apart.

Every function takes `Results` and returns a matplotlib figure, or None where there is nothing to draw (a profile
without trained policies, a recorded folder without test split). The same results give the same bytes.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from robotr1 import paths
from robotr1.evaluation.faithfulness.results import THOUGHTS
from robotr1.evaluation.multiple_choice.consistency import MEASURES
from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.policies.names import BLANK, OPEN_FORM
from robotr1.report.faithfulness import PROBED_NAMES, THOUGHT_NAMES
from robotr1.report.film_strip import film_strip, success_and_failure
from robotr1.report.names import compared, is_reinforced, label, ordered, style
from robotr1.report.results import HELD_OUT, TRAINED, Results, find_row
from robotr1.report.sheet import example_sheet
from robotr1.report.tables import MEASURE_NAMES, split_title

WIDTH = 6.4  # inches
DPI = 150
FORMATS = {  # what matplotlib would write into each beside the picture, left out
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
VECTORS = {"svg.hashsalt": "robotr1", "svg.fonttype": "path", "pdf.fonttype": 42}
SMOOTHING = 10  # steps in the rolling mean of training curves
SIGHT = {
    "real image": {"color": "#0072B2", "marker": "D"},
    "blank image": {"color": "#7F7F7F", "marker": "o"},
}
SPLIT_STYLES = {
    "validation": {"color": "#7F7F7F", "marker": "o"},
    "test_in": {"color": "#0072B2", "marker": "D"},
    "test_out": {"color": "#D55E00", "marker": "s"},
}
CURVES = {
    "reward": "mean reward",
    "accuracy": "share right (sampled)",
    "length": "completion length (tokens)",
    "zero_std": "groups without spread (share)",
}


def set_theme() -> None:
    """seaborn's white grid with matplotlib's own font, so that figures do not depend on installed fonts."""
    sns.set_theme(style="whitegrid", context="notebook", font="DejaVu Sans", font_scale=0.95)


def write_figures(results: Results, folder: Path = paths.FIGURES) -> dict[str, Path]:
    """Draw all figures; returns the PNG files of those that there was something to draw for."""
    set_theme()
    written = {}
    for name, draw in FIGURES.items():
        if (figure := draw(results)) is not None:
            written[name] = folder / f"{name}.png"
            save(figure, written[name])
            plt.close(figure)
    return written


def save(figure: Figure, path: Path) -> None:
    """Write a PNG and, where no photographs are in the figure, an SVG and a PDF beside it.

    No dates, no versions and no random names are in the files: the same figure gives the same bytes. Letters are
    outlines in the SVG and an embedded TrueType font in the PDF, so both print alike everywhere.
    """
    photographs = any(axis.images for axis in figure.axes)
    for kind in ("png",) if photographs else FORMATS:
        with paths.atomic_write(path.with_suffix(f".{kind}")) as temporary, plt.rc_context(VECTORS):
            figure.savefig(temporary, dpi=DPI, metadata=FORMATS[kind])


def training_curves(results: Results) -> Figure | None:
    """Reward, accuracy, length and zero-spread groups over the steps of reinforcement learning."""
    runs = {name: log for name, log in results.training.items() if is_reinforced(name)}
    curves = [curve for curve in CURVES if any(curve in log for log in runs.values())]
    return _curves(runs, curves) if curves else None


def finetuning_curves(results: Results) -> Figure | None:
    """Loss and token accuracy over the steps of supervised fine-tuning."""
    runs = {name: log for name, log in results.training.items() if name.startswith("sft-")}
    curves = [curve for curve in ("loss", "token_accuracy") if any(curve in log for log in runs.values())]
    return _curves(runs, curves) if curves else None


def _curves(runs: dict[str, pd.DataFrame], curves: Sequence[str]) -> Figure:
    rows = (len(curves) + 1) // 2
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, 0.5 + 2.3 * rows), layout="constrained", squeeze=False)
    looks = style(runs)
    for axis, curve in zip(axes.flat, curves):
        for name, log in runs.items():
            if curve not in log:
                continue
            color = looks[name]["color"]
            axis.plot(log["step"], log[curve], ".", color=color, alpha=0.3, markersize=3)
            mean = log[curve].rolling(SMOOTHING, min_periods=1).mean()
            sns.lineplot(x=log["step"], y=mean, color=color, label=label(name), ax=axis, legend=False, errorbar=None)
        axis.set(xlabel="step", ylabel="", title=CURVES.get(curve, curve.replace("_", " ")))
    for axis in axes.flat[len(curves) :]:
        axis.set_visible(False)
    if len(runs) > 1:
        _legend_below(figure)
    return figure


def accuracy(results: Results) -> Figure | None:
    """Accuracy by question type, one panel per split, with the blind reference and chance.

    Supervised policies that were asked in an own form are shown in it; it has no movement questions, so they are not
    under "all".
    """
    shown = compared(results.policies)
    if not shown:
        return None
    kinds = [kind for kind in TYPES if kind in set(results.accuracy["type"])]
    figure, axes = _stacked(len(results.test_splits), height=2.3)
    for axis, split in zip(axes, results.test_splits):
        table = results.accuracy[results.accuracy["split"] == split]
        fair = table[~(table["policy"].str.endswith(OPEN_FORM) & (table["type"] == "all"))]
        _dodged(axis, shown, kinds, lambda policy, kind, fair=fair: find_row(fair, policy=policy, type=kind))
        for place, kind in enumerate(kinds):
            blind = find_row(table, type=kind)
            if blind is not None and pd.notna(blind["blind"]):
                axis.hlines(blind["blind"], place - 0.42, place + 0.42, color="black", linewidth=1.6, label="text only")
        axis.axhline(results.chance, color="black", linestyle=":", linewidth=1, label="chance")
        axis.set(ylim=(0, 1.05), ylabel="accuracy", title=split_title(split))
    _legend_below(figure)
    return figure


def blank_images(results: Results) -> Figure | None:
    """What is left of the accuracy when the policy sees a grey image instead of the scene."""
    policies = [policy for policy in results.policies if policy + BLANK in results.policies]
    splits = [split for split in results.splits if split in set(_rows(results, [p + BLANK for p in policies])["split"])]
    if not splits:
        return None
    figure, axes = _stacked(len(splits), height=2.0)
    for axis, split in zip(axes, splits):
        table = results.accuracy.query("split == @split and type == 'all'")
        for ending, shift, (words, look) in zip(("", BLANK), (-0.12, 0.12), SIGHT.items()):
            for place, policy in enumerate(policies):
                row = find_row(table, policy=policy + ending)
                if row is not None:
                    _interval(axis, place + shift, row["accuracy"], row["low"], row["high"], look, words)
        if len(table) and pd.notna(table["blind"].iloc[0]):
            axis.axhline(table["blind"].iloc[0], color="black", linewidth=1.6, label="text only")
        axis.axhline(results.chance, color="black", linestyle=":", linewidth=1, label="chance")
        axis.set(ylim=(0, 1.05), xlim=(-0.5, len(policies) - 0.5), ylabel="accuracy", title=split_title(split))
        axis.set_xticks(range(len(policies)), [label(policy) for policy in policies])
        axis.grid(False, axis="x")
    _legend_below(figure)
    return figure


def consistency(results: Results) -> Figure | None:
    """Whether the words fit the letter and the world, before and after reinforcement learning."""
    table = results.consistency.query("type == 'all' and questions > 0")
    shown = [policy for policy in ordered(table["policy"]) if policy == "base" or is_reinforced(policy)]
    splits = [split for split in results.test_splits if split in set(table["split"])]
    if not shown or not splits:
        return None
    figure, axes = _stacked(len(splits), height=2.0)
    for axis, split in zip(axes, splits):
        rows = table[table["split"] == split].rename(columns={"share": "accuracy"})
        _dodged(axis, shown, MEASURES, lambda policy, name, rows=rows: find_row(rows, policy=policy, measure=name))
        axis.set_xticks(range(len(MEASURES)), [MEASURE_NAMES[measure].replace(" ", "\n", 1) for measure in MEASURES])
        axis.set(ylim=(0, 1.05), ylabel="share of completions", title=split_title(split))
    _legend_below(figure)
    return figure


def faithfulness(results: Results) -> Figure | None:
    """What becomes of the letter behind other thoughts than the policy's own, on the first split that was asked."""
    table = results.faithfulness.query("type == 'all'").rename(columns={"share": "accuracy"})
    splits = [split for split in results.test_splits if split in set(table["split"])]
    if not splits:
        return None
    rows = table[table["split"] == splits[0]]
    shown = [name for name in ("same", "right", "follows") if name in set(rows["measure"])]
    figure, axes = _stacked(len(shown), height=1.7)
    for axis, name in zip(axes, shown):
        cells = rows[rows["measure"] == name]
        _dodged(
            axis,
            set(rows["policy"]),
            THOUGHTS,
            lambda policy, given, cells=cells: find_row(cells, policy=policy, thought=given),
        )
        axis.axhline(results.chance, color="black", linestyle=":", linewidth=1, label="chance")
        axis.set_xticks(range(len(THOUGHTS)), [THOUGHT_NAMES[given] for given in THOUGHTS])
        axis.set(ylim=(-0.06, 1.1), ylabel="share", title=PROBED_NAMES[name])
    axes[-1].set_xlabel(f"given thought ({split_title(splits[0])})")
    _legend_below(figure)
    return figure


def gains(results: Results) -> Figure | None:
    """Paired differences between policies with their intervals over episodes, all types together.

    Supervised policies that were asked in an own form are shown in it alone.
    """
    table = results.comparisons.query("type == 'all'")
    unfair = {name for name in results.policies if name + OPEN_FORM in results.policies and not is_reinforced(name)}
    table = table[~table["policy"].isin(unfair) & ~table["baseline"].isin(unfair)]
    pairs = list(dict.fromkeys(zip(table["policy"], table["baseline"])))
    if not pairs:
        return None
    height = 0.9 + 0.42 * len(pairs)
    figure, axis = plt.subplots(figsize=(WIDTH, height), layout="constrained")
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
    _legend_below(figure)
    return figure


def closed_loop(results: Results) -> Figure | None:
    """Share of tasks done: by everyone who acted, over all tasks and over those trained on and not."""
    table = results.acting.rename(columns={"success": "accuracy"})
    tasks = [task for task in ("all", TRAINED, HELD_OUT) if task in set(table["task"])]
    if not tasks:
        return None
    figure, (axis,) = _stacked(1, height=2.6)
    _dodged(axis, ordered(table["policy"]), tasks, lambda policy, task: find_row(table, policy=policy, task=task))
    axis.set(ylim=(-0.02, 1.04), ylabel="share of episodes done")
    _legend_below(figure)
    return figure


def film(results: Results) -> Figure | None:
    """What was seen in one success and one failure of the closed loop."""
    return film_strip(success_and_failure(sorted(results.traces, key=lambda trace: trace.policy == "base")))


FIGURES: dict[str, Callable[[Results], Figure | None]] = {
    "training_curves": training_curves,
    "finetuning_curves": finetuning_curves,
    "accuracy": accuracy,
    "gains": gains,
    "blank_images": blank_images,
    "consistency": consistency,
    "faithfulness": faithfulness,
    "closed_loop": closed_loop,
    "film": film,
    "examples": example_sheet,
}


def _rows(results: Results, policies: Sequence[str]) -> pd.DataFrame:
    return results.accuracy[results.accuracy["policy"].isin(policies)]


def _stacked(panels: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    size = (WIDTH, 0.7 + height * panels)
    figure, axes = plt.subplots(panels, 1, figsize=size, layout="constrained", squeeze=False)
    return figure, list(axes[:, 0])


def _dodged(
    axis: Axes, policies: Sequence[str], groups: Sequence[str], row_of: Callable[[str, str], pd.Series | None]
) -> None:
    """Points with intervals, policies side by side within each group."""
    looks = style(policies)
    step = 0.76 / len(policies)
    for number, policy in enumerate(ordered(policies)):
        for place, group in enumerate(groups):
            row = row_of(policy, group)
            if row is not None:
                x = place + step * (number - (len(policies) - 1) / 2)
                _interval(axis, x, row["accuracy"], row["low"], row["high"], looks[policy], label(policy))
    axis.set_xticks(range(len(groups)), groups)
    axis.set_xlim(-0.5, len(groups) - 0.5)
    axis.grid(False, axis="x")


def _interval(axis: Axes, x: float, value: float, low: float, high: float, look: dict, words: str) -> None:
    span = np.maximum([[value - low], [high - value]], 0)
    axis.errorbar(x, value, yerr=span, linestyle="", label=words, markersize=6, elinewidth=1.6, **look)


def _legend_below(figure: Figure) -> None:
    """One legend for all panels, each entry once, under them; points before reference lines."""
    found = [entry for axis in figure.axes for entry in zip(*axis.get_legend_handles_labels())]
    found.sort(key=lambda entry: not isinstance(entry[0], ErrorbarContainer))
    entries = {text: handle for handle, text in found}
    columns = len(entries) if len(entries) <= 4 else 3
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns, frameon=False)
