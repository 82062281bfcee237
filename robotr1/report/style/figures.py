"""The look of figures: colours and markers of policies, panels of points with intervals, and the files.

Figures are narrow enough for a phone. Colours are Okabe and Ito's, which the colour-blind can tell apart; markers
differ too. The same figure gives the same bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from PIL import Image

from robotr1 import paths
from robotr1.policies.names import parse_name
from robotr1.report.style.names import label, ordered

WIDTH = 6.4  # inches
DPI = 150
FORMATS = {  # the metadata that matplotlib would add, switched off
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
VECTORS = {"svg.hashsalt": "robotr1", "svg.fonttype": "path", "pdf.fonttype": 42}
FIXED_STYLES = {
    "random": ("#000000", "x"),
    "majority": ("#000000", "1"),
    "text_only": ("#000000", "+"),
    "oracle": ("#000000", "*"),
    "base": ("#7F7F7F", "o"),
    "sft-direct": ("#E69F00", "v"),
    "sft-cot": ("#56B4E9", "^"),
}
REINFORCED_STYLES = (
    ("#0072B2", "D"),
    ("#D55E00", "s"),
    ("#CC79A7", "P"),
    ("#009E73", "X"),
    ("#000000", "<"),
    ("#F0E442", ">"),
)
SPLIT_STYLES = {
    "validation": {"color": "#7F7F7F", "marker": "o"},
    "test_in": {"color": "#0072B2", "marker": "D"},
    "test_out": {"color": "#D55E00", "marker": "s"},
}


def style(policies: Iterable[str]) -> dict[str, dict[str, str]]:
    """A colour and a marker for each policy: base and supervised ones have fixed ones, the others follow in order."""
    looks, number = {}, 0
    for policy in ordered(policies):
        known = FIXED_STYLES.get(parse_name(policy).policy)
        color, marker = known or REINFORCED_STYLES[number % len(REINFORCED_STYLES)]
        number += known is None
        looks[policy] = {"color": color, "marker": marker}
    return looks


def set_theme() -> None:
    """Use seaborn's white grid with matplotlib's own font, so that figures do not depend on installed fonts."""
    sns.set_theme(style="whitegrid", context="notebook", font="DejaVu Sans", font_scale=0.95)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG and, unless the figure holds photographs, an SVG and a PDF beside it.

    The files hold no dates, versions or random names. Letters are outlines in the SVG and an embedded TrueType font in
    the PDF, so both print alike everywhere.
    """
    photographs = any(axis.images for axis in figure.axes)
    for kind in ("png",) if photographs else FORMATS:
        with paths.atomic_write(path.with_suffix(f".{kind}")) as temporary, plt.rc_context(VECTORS):
            figure.savefig(temporary, dpi=DPI, metadata=FORMATS[kind])


def stacked(panels: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    """A figure with `panels` panels below each other, each `height` inches high."""
    size = (WIDTH, 0.7 + height * panels)
    figure, axes = plt.subplots(panels, 1, figsize=size, layout="constrained", squeeze=False)
    return figure, list(axes[:, 0])


def dodged(
    axis: Axes, policies: Sequence[str], groups: Sequence[str], row_of: Callable[[str, str], pd.Series | None]
) -> None:
    """Draw points with intervals, policies side by side within each group.

    `row_of(policy, group)` returns a row with `accuracy`, `low` and `high`, or None for no point.
    """
    looks = style(policies)
    step = 0.76 / len(policies)
    for number, policy in enumerate(ordered(policies)):
        for place, group in enumerate(groups):
            row = row_of(policy, group)
            if row is not None:
                x = place + step * (number - (len(policies) - 1) / 2)
                point(axis, x, row["accuracy"], row["low"], row["high"], looks[policy], label(policy))
    axis.set_xticks(range(len(groups)), groups)
    axis.set_xlim(-0.5, len(groups) - 0.5)
    axis.grid(False, axis="x")


def point(axis: Axes, x: float, value: float, low: float, high: float, look: dict, words: str) -> None:
    """Draw one point with its interval."""
    span = np.maximum([[value - low], [high - value]], 0)
    axis.errorbar(x, value, yerr=span, linestyle="", label=words, markersize=6, elinewidth=1.6, **look)


def chance_line(axis: Axes, chance: float) -> None:
    """Draw the dotted line of a uniform guess."""
    axis.axhline(chance, color="black", linestyle=":", linewidth=1, label="chance")


def legend_below(figure: Figure) -> None:
    """Draw one legend for all panels below them, each entry once; points come before reference lines."""
    found = [entry for axis in figure.axes for entry in zip(*axis.get_legend_handles_labels())]
    found.sort(key=lambda entry: not isinstance(entry[0], ErrorbarContainer))
    entries = {text: handle for handle, text in found}
    columns = len(entries) if len(entries) <= 4 else 3
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns, frameon=False)


def read_image(path: Path) -> np.ndarray:
    """The image as uint8 [H, W, 3]; a grey one if the file is missing, since a report must not fail for a picture."""
    if not path.is_file():
        return np.full((224, 224, 3), 200, np.uint8)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
