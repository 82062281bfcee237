"""Where RLBench keeps what: `<root>/<task>/variation<V>/episodes/episode<N>`."""

import re
from pathlib import Path

DESCRIPTIONS = "variation_descriptions.pkl"


class EpisodeError(ValueError):
    """A recorded episode cannot be used; the message names the file and the fix."""


def list_episodes(root: str | Path) -> list[Path]:
    """Every episode folder below `root`, sorted by task, then variation, then number (2 before 10)."""
    found = [path.parent for path in Path(root).glob("*/*/episodes/episode*/low_dim_obs.pkl")]
    places = [(episode_place(folder), folder) for folder in found]
    return [folder for _, folder in sorted(places, key=lambda item: (item[0][0], item[0][1] or 0, item[0][2]))]


def episode_place(folder: str | Path) -> tuple[str, int | None, int]:
    """Task, variation (None in PerAct's layout, which keeps it in a file) and number, from the folder's path."""
    parts = Path(folder).parts[-4:]
    match = re.fullmatch(r"([^/]+)/(?:variation(\d+)|all_variations)/episodes/episode(\d+)", "/".join(parts))
    if not match:
        raise EpisodeError(
            f"{folder}: not an RLBench episode. Fix: name a folder <task>/variation<V>/episodes/episode<N>."
        )
    task, variation, number = match.groups()
    return task, None if variation is None else int(variation), int(number)
