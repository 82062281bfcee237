"""Section "attention maps": where policies look while they write a position, beside the evidence of blank images."""

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from robotr1 import paths
from robotr1.policies.names import BLANK
from robotr1.records import Prediction
from robotr1.report.results import Results
from robotr1.report.section import Drawing, Section
from robotr1.report.sections.attention_maps import written_position
from robotr1.report.style.figures import read_image
from robotr1.report.style.names import label
from robotr1.report.style.tables import find_row
from robotr1.report.style.text import printable

SIZE = 1.6  # inches of one picture
CROSS = "#56B4E9"
COLUMNS = (
    "policy",
    "attention to the image",
    "peak on the written place",
    "a random patch on it",
    "right",
    "right, blank image",
)


def answered_by_all(results: Results, policies: Sequence[str], amount: int) -> list[list[Prediction]]:
    """Draw `amount` test questions to which every policy wrote a position; one list of their answers for each."""
    predictions = [p for p in results.study.predictions if p.split != "validation" and p.policy in policies]
    answers = {(p.policy, p.id): p for p in predictions}
    asked = sorted({id for _, id in answers})
    rows = [[answers[name, id] for name in policies] for id in asked if all((name, id) in answers for name in policies)]
    rows = [row for row in rows if all(written_position(p.completion) for p in row)]
    return [rows[i] for i in np.random.default_rng(results.settings.seed).permutation(len(rows))[:amount]]


def attention_table(results: Results, split: str = "test_in") -> pd.DataFrame:
    """One row per policy, in percent: attention to the image, how often its peak lies on the written position, how
    often a random patch would, and the accuracy with and without the image."""
    rows = []
    for policy, maps in results.attention.items():
        hits = [one.hit for one in maps if one.hit is not None]
        shares = _mean(one.map.sum() for one in maps), _mean(hits), _mean(1 / one.map.size for one in maps)
        right = _accuracy(results, policy, split), _accuracy(results, policy + BLANK, split)
        rows.append((label(policy), *(100 * share for share in (*shares, *right))))
    return pd.DataFrame(rows, columns=COLUMNS).round(1)


def draw_attention(results: Results, columns: int = 4) -> Figure | None:
    """Maps over the pictures: a row for each policy, a column for each question; the cross is the written position."""
    attention = results.attention
    columns = min(columns, *map(len, attention.values())) if attention else 0
    if not columns:
        return None
    size = (SIZE * columns, (SIZE + 0.35) * len(attention))
    figure, grid = plt.subplots(len(attention), columns, figsize=size, squeeze=False, layout="constrained")
    for axes, (policy, maps) in zip(grid, attention.items()):
        for axis, one in zip(axes, maps):
            picture = read_image(paths.ROOT / one.question.image)
            height, width = picture.shape[:2]
            axis.imshow(picture)
            axis.imshow(one.map, cmap="inferno", alpha=0.6, extent=(0, width, height, 0))
            if one.pixel is not None:
                x, y = one.pixel[0] * width, one.pixel[1] * height
                for color, thick in (("black", 4), (CROSS, 2)):
                    axis.plot(x, y, "x", color=color, markersize=9, markeredgewidth=thick)
            words = printable(_before_position(one.completion), 26)
            axis.set_title(f"{one.question.type}\n{words}", fontsize=7, parse_math=False)
            axis.axis("off")
        place = {"rotation": 90, "va": "center", "ha": "right", "size": 8, "transform": axes[0].transAxes}
        axes[0].text(-0.06, 0.5, label(policy), **place)
    return figure


def _before_position(completion: str) -> str:
    """The text before the first position: "The cup is at"."""
    return completion.partition("[")[0].replace("<think>", "").strip()


def _mean(shares: Iterable[float]) -> float:
    shares = list(shares)
    return float(np.mean(shares)) if shares else np.nan


def _accuracy(results: Results, policy: str, split: str) -> float:
    row = find_row(results.accuracy, policy=policy, split=split, type="all")
    return np.nan if row is None else row["accuracy"]


SECTION = Section(
    name="attention",
    title="Attention maps",
    drawings={
        "attention": Drawing(
            "Attention while a position is written",
            "Brighter patches get more attention (mean over all layers and heads). The cross marks the written "
            "position. The brightest patch need not hold the cross: the vision tower already mixes information between "
            "patches. The maps show where the model reads, not what it reads there. Whether the policy needs the "
            "image, the blank images tell.",
            draw_attention,
        )
    },
)
