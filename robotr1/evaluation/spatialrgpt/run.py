"""SpatialRGPT-Bench's questions about the tabletop's own scenes, put to the policies of a study.

The committed set (`items/spatialrgpt.json`, made by `spatial_items`) has 15 questions for each of the benchmark's
twelve sub-columns, on the images of the reasoning bench. Regions are drawn into the image, since no policy here reads
boxes.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from PIL import Image

from robotr1 import paths
from robotr1.evaluation.open_questions.scoring import ITEMS
from robotr1.evaluation.spatialrgpt.results import SpatialAnswer
from robotr1.evaluation.spatialrgpt.scoring import (
    SpatialItem,
    mark_regions,
    read_spatial,
    score_spatial,
    spatial_controls,
    summarize_spatial,
)

SET = ITEMS / "spatialrgpt.json"
CONTROLS = ("oracle", "random", "majority")
SUMMARY = ("policy", "column", "questions", "accuracy", "low", "high", "image_low", "image_high", "unreadable")


def read_set(most: int, path: Path = SET) -> list[SpatialItem]:
    """At most so many questions of the set, drawn evenly from its columns. Raises SpatialError for a broken file."""
    items = read_spatial(path)
    columns: dict[str, list[SpatialItem]] = {}
    for item in items:
        columns.setdefault(item.column, []).append(item)
    each = math.ceil(most / len(columns)) if columns else 0
    drawn = [group[place * len(group) // each] for place in range(each) for group in columns.values() if each]
    return [item for item in items if item in drawn[:most]] if most < len(items) else items


@contextmanager
def marked(items: Sequence[SpatialItem]) -> Iterator[list[SpatialItem]]:
    """The items with images in which their regions are drawn; an image that is missing stays missing."""
    with TemporaryDirectory() as folder:
        shown = []
        for number, item in enumerate(items):
            source, picture = paths.ROOT / item.image, Path(folder) / f"{number}.png"
            if source.is_file():
                with Image.open(source) as image:
                    mark_regions(image, item.boxes).save(picture)
            shown.append(replace(item, image=str(picture)))
        yield shown


def controls(items: Sequence[SpatialItem], whole: Sequence[SpatialItem], seed: int) -> list[SpatialAnswer]:
    """Oracle, random and majority on `items`, guessing among the answers of the `whole` set that they are from: in a
    small draw an item may be the only one of its category, and its own answer would be the only guess.

    There is no text-only policy beside them: a question's text holds its category and nothing of the scene, and the
    majority knows the category.
    """
    rows = []
    for policy in CONTROLS:
        written = dict(zip((item.id for item in whole), spatial_controls(whole, seed)[policy], strict=True))
        rows += score(policy, items, [written[item.id] for item in items])
    return rows


def score(policy: str, items: Sequence[SpatialItem], completions: Sequence[str | None]) -> list[SpatialAnswer]:
    """Judge a policy's completions. Raises ValueError where the numbers of items and completions differ."""
    judged = score_spatial(items, completions).to_dict("records")
    return [
        SpatialAnswer(policy=policy, completion=completion, **row)
        for row, completion in zip(judged, completions, strict=True)
    ]


def summarize(answers: Iterable[SpatialAnswer], confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """`spatialrgpt.summarize_spatial` for each policy: percent by sub-column, and the two averages over questions."""
    groups: dict[str, list[SpatialAnswer]] = {}
    for row in answers:
        groups.setdefault(row.policy, []).append(row)
    tables = [
        summarize_spatial(pd.DataFrame(group), confidence, seed).assign(policy=policy)
        for policy, group in groups.items()
    ]
    return pd.concat(tables, ignore_index=True)[list(SUMMARY)] if tables else pd.DataFrame(columns=list(SUMMARY))
