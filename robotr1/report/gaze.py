"""Where policies looked while they wrote a position, over the image, beside what tells whether they need it.

The maps come from `robotr1.policies.attention`; here they are compared and drawn, without torch.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from robotr1 import paths
from robotr1.demos.episode import EpisodeError, read_episode
from robotr1.policies.names import BLANK
from robotr1.records import Prediction, Question
from robotr1.report.figures import save
from robotr1.report.names import label, printable
from robotr1.report.results import Results, find_row
from robotr1.report.sheet import load

SIZE = 1.6  # inches of one picture
CROSS = "#56B4E9"
_POSITION = re.compile(r"\[(-?[0-9.]{1,9}(?:, ?-?[0-9.]{1,9}){2,6})\]")


COLUMNS = (
    "policy",
    "attention to the image",
    "peak on the written place",
    "a random patch on it",
    "right",
    "right, blank image",
)


@dataclass(frozen=True)
class Look:
    """One answer: the attention to each patch, and where in the picture the position lies that was written."""

    question: Question
    completion: str
    maps: np.ndarray  # [layers, heads, rows, columns], as `image_attention` returns them
    place: tuple[float, float] | None  # right and down, from 0 to 1; None outside the picture or without a camera

    @property
    def map(self) -> np.ndarray:
        """[rows, columns]: the mean over layers and heads; its sum is the share that the image gets."""
        return self.maps.mean(axis=(0, 1))

    @property
    def hit(self) -> bool | None:
        """Whether the patch that gets most attention is the one in which the written position lies."""
        if self.place is None:
            return None
        rows, columns = self.map.shape
        there = int(self.place[1] * rows) * columns + int(self.place[0] * columns)
        return bool(self.map.argmax() == there)


def written_position(completion: str) -> slice | None:
    """The characters of the first position, "0.14, 0.12, 0.81" without its brackets; None where there is none."""
    found = _POSITION.search(completion)
    return slice(*found.span(1)) if found else None


def look(question: Question, completion: str, maps: np.ndarray) -> Look:
    """The look of one answer; its first position is projected with the camera of the question's recording."""
    return Look(question, completion, maps, _place(question, completion))


def _place(question: Question, completion: str) -> tuple[float, float] | None:
    image, words = paths.ROOT / question.image, written_position(completion)
    try:
        position = [float(number) for number in completion[words].split(",")[:3]] if words else []
        u, v = read_episode(image.parents[1]).project(np.array([position]))[0] / load(image).shape[1::-1]
    except (EpisodeError, ValueError):  # no camera, or no number such as "1.2.3"
        return None
    return (float(u), float(v)) if 0 <= u < 1 and 0 <= v < 1 else None


def both_answered(results: Results, policies: Sequence[str], amount: int) -> list[list[Prediction]]:
    """`amount` random test questions, an answer of each of `policies` in turn, all with a position."""
    answers = {(p.policy, p.id): p for p in results.predictions if p.split != "validation" and p.policy in policies}
    asked = sorted({id for _, id in answers})
    rows = [[answers[name, id] for name in policies] for id in asked if all((name, id) in answers for name in policies)]
    rows = [row for row in rows if all(written_position(p.completion) for p in row)]
    return [rows[i] for i in np.random.default_rng(results.settings.seed).permutation(len(rows))[:amount]]


def attention_table(results: Results, looks: dict[str, list[Look]], split: str = "test_in") -> pd.DataFrame:
    """A row a policy: what the maps say (attention to the image, how often its peak lies on the written place), and
    what blank images say. In percent."""
    rows = []
    for policy, seen in looks.items():
        hits = [one.hit for one in seen if one.hit is not None]
        maps = _mean(one.map.sum() for one in seen), _mean(hits), _mean(1 / one.map.size for one in seen)
        right = _accuracy(results, policy, split), _accuracy(results, policy + BLANK, split)
        rows.append((label(policy), *(100 * share for share in (*maps, *right))))
    return pd.DataFrame(rows, columns=COLUMNS).round(1)


def _mean(shares: Iterable[float]) -> float:
    shares = list(shares)
    return float(np.mean(shares)) if shares else np.nan


def _accuracy(results: Results, policy: str, split: str) -> float:
    row = find_row(results.accuracy, policy=policy, split=split, type="all")
    return np.nan if row is None else row["accuracy"]


def attention(looks: dict[str, list[Look]], columns: int = 4) -> Figure | None:
    """Maps over the pictures, a row a policy and a column a question; the cross is the written position."""
    columns = min(columns, *map(len, looks.values())) if looks else 0
    if not columns:
        return None
    size = (SIZE * columns, (SIZE + 0.35) * len(looks))
    figure, grid = plt.subplots(len(looks), columns, figsize=size, squeeze=False, layout="constrained")
    for axes, (policy, seen) in zip(grid, looks.items()):
        for axis, one in zip(axes, seen):
            picture = load(paths.ROOT / one.question.image)
            height, width = picture.shape[:2]
            axis.imshow(picture)
            axis.imshow(one.map, cmap="inferno", alpha=0.6, extent=(0, width, height, 0))
            if one.place is not None:
                x, y = one.place[0] * width, one.place[1] * height
                for color, thick in (("black", 4), (CROSS, 2)):
                    axis.plot(x, y, "x", color=color, markersize=9, markeredgewidth=thick)
            axis.set_title(f"{one.question.type}\n{printable(_said(one), 26)}", fontsize=7, parse_math=False)
            axis.axis("off")
        axes[0].text(
            -0.06, 0.5, label(policy), rotation=90, va="center", ha="right", transform=axes[0].transAxes, size=8
        )
    return figure


def write_attention(looks: dict[str, list[Look]], folder: Path = paths.FIGURES) -> dict[str, Path]:
    """Write the figure; its file by name, as `figures.write_figures` returns them, or nothing."""
    if (figure := attention(looks)) is None:
        return {}
    save(figure, folder / "attention.png")
    plt.close(figure)
    return {"attention": folder / "attention.png"}


def _said(one: Look) -> str:
    """What comes before the first position: "The cup is at"."""
    return one.completion.partition("[")[0].replace("<think>", "").strip()
