"""Check and copy demonstrations that were recorded in RLBench. Needs no simulator."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from robotr1.demos.checks import check_recording
from robotr1.demos.episode import Episode, EpisodeError, list_episodes, read_episode
from robotr1.demos.images import is_rgb, read_png, write_png
from robotr1.demos.layout import DESCRIPTIONS, LOW_DIM, VARIATION_NUMBER, frame_files
from robotr1.paths import atomic_folder


@dataclass(frozen=True)
class LeftOut:
    """A recorded episode that cannot be used."""

    episode: str  # <task>/variation<V>/episodes/episode<N>
    reason: str


def find_recorded(tasks: Iterable[str], source: Path) -> dict[str, list[Path]]:
    """List the episode folders of each of `tasks` in `source`, in order.

    Raises EpisodeError if a task has no episodes.
    """
    found: dict[str, list[Path]] = {}
    for folder in list_episodes(source):
        found.setdefault(folder.parts[-4], []).append(folder)
    tasks = list(tasks)
    if missing := sorted(set(tasks) - set(found)):
        raise EpisodeError(
            f"{source}: no episodes of {', '.join(missing)}. Fix: check recorded_folder (it holds <task>/variation0/"
            "episodes/episode0/low_dim_obs.pkl and so on), or choose train_tasks and held_out_tasks from what it "
            f"has: {', '.join(sorted(found)) or 'nothing'}."
        )
    return {task: found[task] for task in tasks}


def copy_recorded(
    demos: dict[str, int],
    found: dict[str, list[Path]],
    output: Path,
    *,
    frame_interval: int,
    cameras: Iterable[str] = ("front",),
    depth_and_masks: bool = False,
) -> list[LeftOut]:
    """Copy the first `demos[task]` usable episodes of every task to the same places below `output`.

    An episode is left out if it cannot be read, fails `check_recording`, or has the variation and number of an earlier
    one; the next one takes its place. Only the numbers and the images of `cameras` are copied. Returns the episodes
    that were left out. Raises EpisodeError if no episode of a task is usable.
    """
    kinds = ("rgb", "depth", "mask") if depth_and_masks else ("rgb",)
    images = [f"{camera}_{kind}" for camera in cameras for kind in kinds]
    left_out: list[LeftOut] = []
    with tqdm(total=sum(min(demos[task], len(found[task])) for task in found), desc="recordings", unit="demo") as bar:
        for task, folders in found.items():
            copied, refused, taken = 0, [], {}
            for folder in folders:
                if copied == demos[task]:
                    break
                try:
                    episode = read_episode(folder)
                    check_recording(episode, frame_interval)
                    _check_unique(episode, taken)
                    _copy(folder, output, images)
                    taken[episode.variation, episode.episode] = folder
                except EpisodeError as error:
                    reason = str(error).replace(f"{folder.absolute()}{os.sep}", "")
                    refused.append(LeftOut("/".join(folder.parts[-4:]), reason))
                    continue
                copied += 1
                bar.update()
            if not copied and demos[task]:
                first = refused[0]
                raise EpisodeError(f"no recorded episode of {task} can be used; {first.episode}: {first.reason}")
            left_out += refused
    return left_out


def _check_unique(episode: Episode, taken: dict[tuple[int, int], Path]) -> None:
    """Raise EpisodeError if an episode in `taken` has the same variation and number."""
    if other := taken.get((episode.variation, episode.episode)):
        raise EpisodeError(
            f"{episode.folder}: has the variation ({episode.variation}) and number ({episode.episode}) of "
            f"{'/'.join(other.parts[-3:])}. Fix: use all_variations or the folders of single variations, not both, or "
            "rename this one to a free number."
        )


def _copy(folder: Path, output: Path, images: list[str]) -> None:
    target = output.joinpath(*folder.parts[-4:])
    if missing := [name for name in images if not frame_files(folder / name)]:
        raise EpisodeError(f"{folder}: no {', '.join(missing)}. Fix: name only recorded cameras under cameras.")
    with atomic_folder(target) as temporary:
        for name in (LOW_DIM, DESCRIPTIONS, VARIATION_NUMBER):
            if (folder / name).exists():
                shutil.copyfile(folder / name, temporary / name)
        for name in images:
            (temporary / name).mkdir()
            for frame, path in frame_files(folder / name).items():
                if name.endswith("_rgb") and not is_rgb(path):
                    write_png(temporary / name / f"{frame}.png", read_png(path))
                else:
                    shutil.copyfile(path, temporary / name / f"{frame}.png")
    if (folder.parents[1] / DESCRIPTIONS).exists():
        shutil.copyfile(folder.parents[1] / DESCRIPTIONS, target.parents[1] / DESCRIPTIONS)
