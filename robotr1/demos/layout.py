"""RLBench's folder layout: `<root>/<task>/variation<V>/episodes/episode<N>`."""

import re
from pathlib import Path

LOW_DIM = "low_dim_obs.pkl"
DESCRIPTIONS = "variation_descriptions.pkl"
VARIATION_NUMBER = "variation_number.pkl"  # PerAct's


class EpisodeError(ValueError):
    """A recorded episode cannot be used; the message names the file and the fix."""


def list_episodes(root: str | Path) -> list[Path]:
    """List every episode folder below `root`, sorted by task, variation and number (2 before 10).

    Folders with other names are skipped.
    """
    folders = [path for path in Path(root).glob("*/*/episodes/episode*") if path.is_dir() and _place(path)]
    places = [(episode_place(folder), folder) for folder in folders]
    return [folder for _, folder in sorted(places, key=lambda item: (item[0][0], item[0][1] or 0, item[0][2]))]


def episode_place(folder: str | Path) -> tuple[str, int | None, int]:
    """Read task, variation and number from a folder's path; PerAct's layout has no variation there (None)."""
    match = _place(Path(folder))
    if not match:
        raise EpisodeError(
            f"{folder}: not an RLBench episode. Fix: name a folder <task>/variation<V>/episodes/episode<N>."
        )
    task, variation, number = match.groups()
    return task, None if variation is None else int(variation), int(number)


def frame_files(folder: Path) -> dict[int, Path]:
    """Map frame numbers to the PNG files of a camera's folder: RLBench's `7.png`, or a fork's `rgb_0007.png`.

    Raises EpisodeError if two files have one number, or if the folder holds files but none with a frame's number.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.glob("*.png")):
        if match := re.fullmatch(r"(?:[a-z]+_)?([0-9]{1,9})", path.stem):
            frame = int(match[1])
            if frame in found:
                raise EpisodeError(
                    f"{folder}: {found[frame].name} and {path.name} are both frame {frame}. Fix: keep one of them."
                )
            found[frame] = path
    others = sorted(path.name for path in folder.glob("*") if not path.name.startswith("."))
    if others and not found:
        raise EpisodeError(
            f"{folder}: holds {len(others)} files such as {others[0]}, but no PNG named by its frame. Fix: name the "
            "images 0.png, 1.png and so on."
        )
    return found


def _place(folder: Path) -> re.Match | None:
    pattern = r"([^/]+)/(?:variation(\d+)|all_variations)/episodes/episode(\d+)"
    return re.fullmatch(pattern, "/".join(folder.parts[-4:]))
