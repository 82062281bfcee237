"""Demonstrations that somebody recorded in RLBench: checked, then copied. Needs no simulator."""

import shutil
from pathlib import Path

from tqdm import tqdm

from robotr1.demos.episode import EpisodeError, list_episodes, read_episode
from robotr1.demos.layout import DESCRIPTIONS
from robotr1.paths import atomic_folder


def choose_recorded(demos: dict[str, int], source: Path) -> list[Path]:
    """The first `demos[task]` episode folders of every task in `source`; all of them where there are fewer.

    Raises EpisodeError where a task has no episodes.
    """
    found: dict[str, list[Path]] = {}
    for folder in list_episodes(source):
        found.setdefault(folder.parts[-4], []).append(folder)
    if missing := sorted(task for task, amount in demos.items() if amount and task not in found):
        raise EpisodeError(
            f"{source}: no episodes of {', '.join(missing)}. Fix: check recorded_folder (it holds <task>/variation0/"
            "episodes/episode0/low_dim_obs.pkl and so on), or choose train_tasks and held_out_tasks from what it "
            f"has: {', '.join(sorted(found)) or 'nothing'}."
        )
    return [folder for task, amount in demos.items() for folder in found.get(task, [])[:amount]]


def copy_recorded(folders: list[Path], output: Path) -> None:
    """Copy episodes to the same places below `output`, each after reading every number and every front image.

    Depth and mask images stay behind: the study reads only colours. Raises EpisodeError, naming the file, at the
    first damaged episode (a cut PNG, an unreadable pickle); that one is not copied.
    """
    for folder in tqdm(folders, desc="recordings", unit="demo"):
        episode = read_episode(folder)
        if not episode.frames:
            raise EpisodeError(f"{folder / 'front_rgb'}: no images. Fix: record with the front camera's RGB on.")
        for frame in episode.frames:
            episode.image(frame)
        _copy(folder, output)


def _copy(folder: Path, output: Path) -> None:
    target = output.joinpath(*folder.parts[-4:])
    with atomic_folder(target) as temporary:
        ignored = shutil.ignore_patterns("*_depth", "*_mask")
        shutil.copytree(folder, temporary, dirs_exist_ok=True, ignore=ignored, copy_function=shutil.copyfile)
    if (folder.parents[1] / DESCRIPTIONS).exists():
        shutil.copyfile(folder.parents[1] / DESCRIPTIONS, target.parents[1] / DESCRIPTIONS)
