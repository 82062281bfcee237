"""Figure of the ablation: the accuracy of every run and seed."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np

from robotr1 import paths
from robotr1.ablation.compare import FORM_NAMES, SPLITS

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def plot_accuracy(rows: Mapping[str, Mapping[str, list[float]]], path: Path) -> None:
    """Plot one row per run: a dot per seed and a stroke for the mean; lines separate the forms of questions."""
    form_of = {name: next(form for form in reversed(FORM_NAMES.values()) if name.endswith(form)) for name in rows}
    names = sorted(rows, key=lambda name: list(FORM_NAMES.values()).index(form_of[name]))
    figure, axes = plt.subplots(1, 2, figsize=(9, 0.27 * len(rows) + 1.2), sharey=True, layout="constrained")
    for ax, split in zip(axes, ("test_in", "test_out"), strict=True):
        for place, name in enumerate(names):
            seeds = rows[name].get(split, [])
            ax.plot(seeds, [place] * len(seeds), "o", color="#0072B2", alpha=0.6, markersize=5)
            if seeds:
                ax.plot(np.mean(seeds), place, "|", color="black", markersize=12)
            if place and form_of[name] != form_of[names[place - 1]]:
                ax.axhline(place - 0.5, color="0.6", linewidth=0.8)
        ax.axvline(0.25, color="0.6", linestyle=":", linewidth=1)
        ax.grid(axis="x", color="0.9", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.set(title=SPLITS[split], xlabel="accuracy", xlim=(-0.02, 1))
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    with paths.atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=120)
    plt.close(figure)
