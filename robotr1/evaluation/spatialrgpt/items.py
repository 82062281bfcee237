"""Items of SpatialRGPT-Bench (Cheng and others, NeurIPS 2024; Robot-R1's Table 5): lengths and relations of regions.

Reads the published JSON (a list, or one object a line): `id`, `image_info` (file_path, width, height), `text_q`,
`qa_info` (type, category), `conversations` (question and answer) and `bbox`; the `rle` masks are not read. The
committed set has the same form: 15 questions for each of the twelve sub-columns, about the tabletop's own scenes.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robotr1.evaluation.items import FOLDER, SPATIALRGPT
from robotr1.records import RecordError
from robotr1.special_tokens import refusal, special_token

# The paper's sub-columns (Table 5) by the published categories; "predicate" asks whether, "choice" asks which.
QUANTITATIVE = {
    "distance_data": "direct",
    "horizontal_distance_data": "horizontal",
    "vertical_distance_data": "vertical",
    "width_data": "width",
    "height_data": "height",
    "direction": "direction",
}
QUALITATIVE = {
    "below-above": ("below", "above"),
    "left-right": ("left", "right"),
    "big-small": ("big", "small"),
    "tall-short": ("tall", "short"),
    "wide-thin": ("wide", "thin"),
    "behind-front": ("behind", "front"),
}
COLUMNS = (*QUANTITATIVE.values(), *QUALITATIVE)


@dataclass(frozen=True)
class SpatialItem:
    """One question about regions of one image."""

    id: str
    image: str  # as the file names it
    question: str
    reference: str
    category: str
    column: str  # one of COLUMNS
    boxes: tuple[tuple[float, float, float, float], ...]  # x1, y1, x2, y2 in pixels, region 0 first

    @property
    def quantitative(self) -> bool:
        return self.column in QUANTITATIVE.values()

    @property
    def prompt(self) -> str:
        """The user text, for an image on which `regions.draw_regions` drew the boxes."""
        form = "a number with its unit" if self.quantitative else "one short sentence"
        if self.column == "direction":
            form = "a clock direction such as 3 o'clock"
        return (
            f"The image has marked regions, each a box with its number. Question: {self.question}\n"
            f"Think first, between <think> and </think>; then answer with {form} between <answer> and </answer>."
        )


def column_of(category: str) -> str:
    """The sub-column of a category. Raises KeyError for an unknown one."""
    if category in QUANTITATIVE:
        return QUANTITATIVE[category]
    word = category.partition("_")[0]
    for column, words in QUALITATIVE.items():
        if word in words:
            return column
    raise KeyError(category)


def read_items(path: Path = FOLDER / SPATIALRGPT) -> list[SpatialItem]:
    """Read items, by default the committed ones. Raises RecordError, which names the entry of another form."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        lines = [line for line in text.split("\n") if line.strip()]
        rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in lines]
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path}: neither a JSON list nor JSON lines ({error})") from error
    return [_item(row, f"{path}, entry {number}") for number, row in enumerate(rows, start=1)]


def _item(row: Any, place: str) -> SpatialItem:
    try:
        category = row["qa_info"]["category"]
        texts = {
            "image_info.file_path": row["image_info"]["file_path"],
            "text_q": row["text_q"],
            "conversations[1].value": row["conversations"][1]["value"],
            "qa_info.category": category,
        }
        name = str(row["id"])
        boxes = tuple(tuple(map(float, box)) for box in row.get("bbox") or ())
        column = column_of(category) if isinstance(category, str) else ""
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RecordError(f"{place}: not of the published form ({type(error).__name__} {error})") from error
    for field, value in texts.items():
        if not isinstance(value, str):
            raise RecordError(f"{place}: {field}: got {value!r}, expected a text")
    if token := special_token(texts["text_q"]):
        raise RecordError(f"{place}: text_q {refusal(token)}")
    if any(len(box) != 4 or not all(map(math.isfinite, box)) for box in boxes):
        raise RecordError(f"{place}: bbox: got {row['bbox']!r}, expected lists of four numbers x1, y1, x2, y2")
    return SpatialItem(name, *texts.values(), column, boxes)


def select(items: Sequence[SpatialItem], most: int) -> list[SpatialItem]:
    """At most `most` items, spread evenly over the sub-columns, in their order."""
    columns: dict[str, list[SpatialItem]] = {}
    for item in items:
        columns.setdefault(item.column, []).append(item)
    each = math.ceil(most / len(columns)) if columns else 0
    chosen = [group[place * len(group) // each] for place in range(each) for group in columns.values() if each]
    return [item for item in items if item in chosen[:most]] if most < len(items) else list(items)
