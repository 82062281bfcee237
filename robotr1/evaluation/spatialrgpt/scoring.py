"""SpatialRGPT-Bench (Cheng and others, NeurIPS 2024): lengths and relations of marked regions; Robot-R1's Table 5.

Reads the published JSON (a list, or one object a line): `id`, `image_info` (file_path, width, height), `text_q`,
`qa_info` (type, category), `conversations` (question and answer), `bbox` and, unread here, `rle` masks. Quantities are
right within 25 percent, clock directions within one hour, relations where the answer affirms, denies or names the
region as the reference does. The benchmark's own scripts let GPT-4 read the answers; here rules do, which see less.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from robotr1.evaluation.judging.lengths import clock_hours, the_length
from robotr1.evaluation.judging.rubric import answer_text
from robotr1.records import read_objects
from robotr1.statistics import accuracy_interval, clustered_interval

TOLERANCE = 0.25
# The paper's sub-columns (Table 5), by the categories of the published file; predicates ask whether, choices ask which.
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
_REGION = re.compile(r"\[?region\s*\[?\s*(\d{1,2})\s*\]?|\[(\d{1,2})\]", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:no|not|n't|isn't|doesn't|incorrect|false|cannot|never|actually)\b", re.IGNORECASE)
_AFFIRMS = re.compile(r"\b(?:yes|correct|indeed|true|yeah|right, |certainly|absolutely)\b", re.IGNORECASE)
_OUTLINES = ("red", "blue", "yellow", "magenta")


class SpatialError(ValueError):
    """A benchmark file that cannot be read; the message names the file, the entry and what is wrong."""


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
        """The user text, for an image on which `mark_regions` drew the boxes."""
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


def read_spatial(path: Path) -> list[SpatialItem]:
    """The items of a published file. Raises SpatialError for an entry of another form."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        rows = json.loads(text) if text.lstrip().startswith("[") else [row for _, row in read_objects(path)]
    except (OSError, ValueError) as error:
        raise SpatialError(f"{path}: neither a JSON list nor JSON lines ({error})") from error
    items = []
    for number, row in enumerate(rows):
        try:
            category = row["qa_info"]["category"]
            items.append(
                SpatialItem(
                    str(row["id"]),
                    row["image_info"]["file_path"],
                    row["text_q"],
                    row["conversations"][1]["value"],
                    category,
                    column_of(category),
                    tuple(tuple(map(float, box)) for box in row.get("bbox") or ()),
                )
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise SpatialError(f"{path}, entry {number}: {type(error).__name__} {error}") from error
    return items


def mark_regions(image: Image.Image, boxes: Sequence[Sequence[float]]) -> Image.Image:
    """A copy of the image with every box drawn and numbered, so that "Region [0]" means something to any policy."""
    marked = image.convert("RGB")
    pen = ImageDraw.Draw(marked)
    for number, box in enumerate(boxes):
        color = _OUTLINES[number % len(_OUTLINES)]
        x1, x2 = sorted(float(np.clip(x, 0, marked.width - 1)) for x in (box[0], box[2]))
        y1, y2 = sorted(float(np.clip(y, 0, marked.height - 1)) for y in (box[1], box[3]))
        pen.rectangle((x1, y1, x2, y2), outline=color, width=2)
        pen.text((x1 + 3, y1 + 2), f"[{number}]", fill=color)
    return marked


def judge(item: SpatialItem, answer: str | None) -> bool | None:
    """Whether an answer is right; None where nothing can be read from it.

    Raises SpatialError where nothing can be read from the reference.
    """
    read = _clock if item.column == "direction" else the_length if item.quantitative else None
    if read is None:
        return _same_relation(item, answer or "")
    truth = read(item.reference)
    if not truth:
        raise SpatialError(f"{item.id}: no quantity in the reference {item.reference!r}")
    told = read(answer or "")
    if told is None:
        return None
    if item.column == "direction":
        away = abs(truth - told)
        return min(away, 12 - away) <= 1
    return abs(told - truth) <= TOLERANCE * truth + 1e-9


def score_spatial(items: Sequence[SpatialItem], completions: Sequence[str | None]) -> pd.DataFrame:
    """Judge completions (only what is inside <answer>); None stands for a question that could not be asked.

    One row per item: id, image, column, quantitative, correct, unreadable. Raises ValueError for different lengths.
    """
    if len(items) != len(completions):
        raise ValueError(f"{len(items)} items but {len(completions)} completions")
    verdicts = [judge(item, answer_text(text) if text else None) for item, text in zip(items, completions)]
    return pd.DataFrame(
        [
            (item.id, item.image, item.column, item.quantitative, bool(verdict), verdict is None)
            for item, verdict in zip(items, verdicts)
        ],
        columns=["id", "image", "column", "quantitative", "correct", "unreadable"],
    )


def summarize_spatial(rows: pd.DataFrame, confidence: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Accuracy in percent by sub-column, and the two averages over questions (not over columns), as in Table 5.

    One row per column that occurs: questions, accuracy with Wilson's interval (low, high) and the bootstrap over
    images (image_low, image_high), and how many answers were unreadable.
    """
    groups = [(column, rows[rows["column"] == column]) for column in COLUMNS]
    groups += [("quantitative", rows[rows["quantitative"]]), ("qualitative", rows[~rows["quantitative"].astype(bool)])]
    table = []
    for column, group in groups:
        if len(group):
            correct = group["correct"].tolist()
            numbers = accuracy_interval(correct, confidence)
            _, *by_image = clustered_interval(correct, group["image"].tolist(), confidence, seed)
            percent = [100 * number for number in (*numbers, *by_image)]
            names = ("accuracy", "low", "high", "image_low", "image_high")
            row = {"column": column, "questions": len(group)} | dict(zip(names, percent))
            table.append(row | {"unreadable": int(group["unreadable"].sum())})
    return pd.DataFrame(table)


def spatial_controls(items: Sequence[SpatialItem], seed: int = 0) -> dict[str, list[str]]:
    """Completions of oracle (the reference), random (another item's of the same category, or the item's own where it
    is the only one) and majority (the most frequent reference of the category)."""
    same: dict[str, list[SpatialItem]] = {}
    for item in items:
        same.setdefault(item.category, []).append(item)
    guesses = []
    for item in items:
        others = [other.reference for other in same[item.category] if other.id != item.id] or [item.reference]
        guesses.append(others[np.random.default_rng([seed, *item.id.encode()]).integers(len(others))])
    most = {name: Counter(item.reference for item in group).most_common(1)[0][0] for name, group in same.items()}
    answers = {
        "oracle": [item.reference for item in items],
        "random": guesses,
        "majority": [most[item.category] for item in items],
    }
    return {name: [f"<answer> {text} </answer>" for text in texts] for name, texts in answers.items()}


def check_spatial_brackets(items: Sequence[SpatialItem], seed: int = 0) -> dict[str, pd.DataFrame]:
    """The controls' tables. Raises SpatialError where oracle is wrong anywhere, or random is not where it must be.

    Random must lie within five standard deviations of what all pairs of items of a category give, and below 75 percent.
    """
    tables, shares = {}, {}
    for name, completions in spatial_controls(items, seed).items():
        rows = score_spatial(items, completions)
        tables[name], shares[name] = summarize_spatial(rows), rows["correct"].mean()
        if name == "oracle" and not rows["correct"].all():
            wrong = rows[~rows["correct"]].iloc[0]
            raise SpatialError(f"{wrong['id']}: the reference is not right by its own measure; correct the item")
    expected, deviation = random_level(items)
    if abs(shares["random"] - expected) > 5 * deviation + 1e-9 or shares["random"] > 0.75:
        raise SpatialError(f"random is right in {shares['random']:.0%}, where all pairs of items give {expected:.0%}")
    return tables


def random_level(items: Sequence[SpatialItem]) -> tuple[float, float]:
    """Expected accuracy of the random control over all items, and its standard deviation."""
    chances = []
    for item in items:
        others = [other for other in items if other.category == item.category and other.id != item.id] or [item]
        chances.append(np.mean([bool(judge(item, other.reference)) for other in others]))
    chances = np.array(chances)
    return float(chances.mean()), float(np.sqrt((chances * (1 - chances)).sum()) / len(chances))


def affirms(text: str) -> bool | None:
    """What a text says to a question of yes or no; a bare statement affirms, nothing at all says nothing."""
    yes, no = bool(_AFFIRMS.search(text)), bool(_DENIES.search(text))
    opening = re.match(r"\W*(yes|yeah|correct|no|incorrect|false|true)\b", text, re.IGNORECASE)
    if opening:
        first = opening[1].lower() in ("yes", "yeah", "correct", "true")
        return None if re.search(rf"\b{'no' if first else 'yes'}\b", text, re.IGNORECASE) else first
    if yes and no:
        return None
    return not no if (yes or no or regions(text)) else None


def regions(text: str) -> list[int]:
    """The numbers of all regions that a text names, in order."""
    return [int(one or other) for one, other in _REGION.findall(text)]


def _same_relation(item: SpatialItem, answer: str) -> bool | None:
    if item.category.endswith("_choice"):
        truth, told = regions(item.reference)[:1], regions(answer)
        if not truth:
            raise SpatialError(f"{item.id}: no region in the reference {item.reference!r}")
        return told[0] == truth[0] if told and not _DENIES.search(answer) else None
    truth, told = affirms(item.reference), affirms(answer)
    if truth is None:
        raise SpatialError(f"{item.id}: the reference {item.reference!r} neither affirms nor denies")
    return None if told is None else told == truth


def _clock(text: str) -> int | None:
    hours = set(clock_hours(text))
    return hours.pop() if len(hours) == 1 else None
