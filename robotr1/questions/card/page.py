"""Write the data set card, `reports/dataset_card.md`, from the numbers in `card.json`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from robotr1 import paths
from robotr1.questions.audit.difficulty import UNITS
from robotr1.questions.prompts import LETTERS

CARD = paths.REPORTS / "dataset_card.md"
FIELDS = {
    "id": "task, variation, episode, frame and type; one question only",
    "split": "`train`, `validation`, `test_in` (new episodes of trained tasks) or `test_out` (tasks never trained on)",
    "type": "what is asked",
    "task, variation, episode, frame": "where the question comes from",
    "keyframe": "the frame that the arm goes to next",
    "image": "front camera, PNG, relative to the repository",
    "instruction": "the task in words",
    "state, target": "the gripper's tip now and at the keyframe: [x, y, z] in metres, world frame",
    "options, answer": "texts without letters, and the letter of the right one",
    "prompt": "the whole user text, without the image token",
    "set": "only in paired options: shared by the four questions whose options are the same",
}


def dataset_card(card: Mapping[str, Any]) -> str:
    """Markdown with the front matter of a Hugging Face data set card, from the numbers of `question_card`."""
    settings, splits = card["settings"], card["splits"]
    types, letters = settings["types"], LETTERS[: settings["options"]]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, autoescape=False
    )
    return environment.get_template("dataset_card.md.j2").render(
        splits=splits,
        total=sum(counts["questions"] for counts in splits.values()),
        counts=_table(
            ["split", "questions", "episodes", "images", *types, *letters],
            [_counts_row(split, counts, types, letters) for split, counts in splits.items()],
        ),
        tasks=_tasks(splits),
        skipped="; ".join(f"{number} {reason}" for reason, number in card["skipped"].items()) or "nothing",
        fields=_table(["field", "meaning"], [[f"`{name}`", meaning] for name, meaning in FIELDS.items()]),
        settings=settings,
        tokens=card["longest_prompt_tokens"],
        spread=_table(
            ["type", "25 %", "50 %", "75 %"], [_spread_row(*spread) for spread in card["nearest_distractor"].items()]
        ),
        chance=f"{card['chance']:.1%}",
        blind=_table(
            ["split", "type", "policy", "accuracy"],
            [
                [split, type, row["policy"], _interval(row)]
                for split, rows in card["blind"].items()
                for type, row in rows.items()
                if split.startswith("test")
            ],
        ),
        strategies=_strategies(card["strategies"], settings) if card["strategies"] else "",
    )


def write_dataset_card(card: Mapping[str, Any], path: Path = CARD) -> Path:
    """Write the card and return its path. The same numbers give the same bytes."""
    paths.write_text(path, dataset_card(card) + "\n")
    return path


def _strategies(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    """The best blind guess for every strategy on the test episodes of trained tasks."""
    cells: dict[tuple[str, bool], dict[str, str]] = {}
    for row in rows:
        if row["split"] == "test_in":
            cells.setdefault((row["strategy"], row["stated"]), {})[row["type"]] = _interval(row)
    lines = [
        [strategy + " (used here)" * (strategy == settings["distractors"]), "yes" if stated else "no"]
        + [found.get(type, "") for type in settings["types"]]
        for (strategy, stated), found in cells.items()
    ]
    return _table(["distractors", "prompt states the gripper", *settings["types"]], lines)


def _interval(row: Mapping[str, Any]) -> str:
    """ "33% [28%, 38%]"."""
    return f"{row['accuracy']:.0%} [{row['low']:.0%}, {row['high']:.0%}]"


def _counts_row(split: str, counts: Mapping[str, Any], types: Sequence[str], letters: str) -> list[str]:
    numbers = [counts["questions"], counts["episodes"], counts["images"]]
    numbers += [counts["types"].get(type, 0) for type in types]
    numbers += [counts["letters"].get(letter, 0) for letter in letters]
    return [split, *map(str, numbers)]


def _tasks(splits: Mapping[str, Any]) -> str:
    names = {task: split for split, counts in splits.items() for task in counts["tasks"]}
    return ", ".join(f"{task} (test only)" if split == "test_out" else task for task, split in names.items())


def _spread_row(type: str, spread: Mapping[str, float]) -> list[str]:
    return [type, *(f"{value:.3g} {UNITS[type]}" for value in spread.values())]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *rows))
