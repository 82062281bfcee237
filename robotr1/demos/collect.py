"""Collect demonstrations from any source into `data/demos`, in RLBench's layout.

`source: tabletop` runs the scripted expert in the embedded simulator. Each attempt has its own generator from
(seed, task, episode, attempt), so the files do not depend on the number of workers or on their order. A failed attempt
is not written; the next one is tried. `source: recorded` copies episodes from a folder of RLBench recordings and leaves
out damaged ones. `source: rlbench` collects episodes live. A stopped collection resumes.
"""

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from robotr1.demos.episode import Episode, list_episodes, read_episode
from robotr1.demos.layout import episode_place
from robotr1.demos.recorded import LeftOut, copy_recorded, find_recorded
from robotr1.demos.tabletop.episodes import CollectionError, check_tabletop, collect_tabletop
from robotr1.paths import DEMOS, ROOT, write_json
from robotr1.settings import ExtractDemos

STAMP = "collection.json"  # the settings and the code that made a folder's episodes

CONTENT_SETTINGS = {
    "tabletop": ("image_size", "frame_interval", "seed", "frames", "cameras", "depth_and_masks"),
    "recorded": ("recorded_folder", "frame_interval", "cameras", "depth_and_masks"),
    "rlbench": ("image_size", "cameras", "depth_and_masks"),
}


@dataclass(frozen=True)
class TaskSummary:
    """One row of the collection's table."""

    task: str
    demos: int
    attempts: int | None  # placements tried; None where not recorded
    failures: int | None  # attempts without a demonstration
    frames: float  # per demonstration, mean
    shortest: int  # frames
    longest: int


@dataclass(frozen=True)
class Collection:
    """The result of a collection."""

    tasks: list[TaskSummary]
    left_out: list[LeftOut]  # damaged recordings


def collect_demos(settings: ExtractDemos, output: Path = DEMOS) -> Collection:
    """Collect exactly the demonstrations that `settings` name into `output`.

    Complete episodes are kept if the same settings and the same code made them. A warning names tasks that have fewer
    recordings than `settings` name, or damaged ones.

    Raises:
        CollectionError: `output` holds files that this stage did not write, or the expert failed too often.
        EpisodeError: a task has no recorded episodes, or only damaged ones.
        RLBenchMissing: source rlbench, but no RLBench.
    """
    output = Path(output)
    demos = {task: settings.demos_per_train_task for task in settings.train_tasks}
    demos |= {task: settings.demos_per_held_out_task for task in settings.held_out_tasks}
    collect = _source(settings, demos, output)  # raises before anything is removed
    prepare_folder(output, demos, stamp(settings))
    left_out = collect() or []
    collection = Collection(summarize(output), left_out)
    _warn_where_fewer(demos, collection)
    return collection


def _source(settings: ExtractDemos, demos: dict[str, int], output: Path) -> Callable[[], list[LeftOut] | None]:
    """Check that the source has these tasks, and return the function that fills `output`."""
    content = {name: getattr(settings, name) for name in CONTENT_SETTINGS[settings.source]}
    if settings.source == "tabletop":
        check_tabletop(demos)
        return partial(collect_tabletop, demos, output, workers=settings.workers, **content)
    if settings.source == "recorded":
        source = ROOT / content.pop("recorded_folder")
        if output.resolve().is_relative_to(source.resolve()) or source.resolve().is_relative_to(output.resolve()):
            raise CollectionError(f"{source}: recorded_folder must not be the folder that this stage writes, {output}")
        found = find_recorded([task for task, amount in demos.items() if amount], source)
        return partial(copy_recorded, demos, found, output, **content)
    from robotr1.demos.rlbench import check_installed, collect_rlbench

    check_installed()
    return partial(collect_rlbench, demos, output, **content)


def _warn_where_fewer(demos: dict[str, int], collection: Collection) -> None:
    there = {row.task: row.demos for row in collection.tasks}
    for task, amount in demos.items():
        if there.get(task, 0) < amount:
            bad = sum(left.episode.startswith(f"{task}/") for left in collection.left_out)
            warnings.warn(
                f"{task}: {there.get(task, 0)} of {amount} demonstrations: the source has no more"
                + (f"; {bad} damaged or repeated ones were left out" if bad else ""),
                stacklevel=3,
            )


def summarize(root: Path = DEMOS) -> list[TaskSummary]:
    """Count the episodes below `root` by task."""
    episodes: dict[str, list[Episode]] = {}
    for folder in list_episodes(root):
        episode = read_episode(folder)
        episodes.setdefault(episode.task, []).append(episode)
    return [_summarize_task(task, found) for task, found in episodes.items()]


def _summarize_task(task: str, episodes: list[Episode]) -> TaskSummary:
    lengths = [len(episode) for episode in episodes]
    tried = [episode.num_reset_attempts for episode in episodes]
    attempts = None if None in tried else sum(tried)
    return TaskSummary(
        task=task,
        demos=len(episodes),
        attempts=attempts,
        failures=None if attempts is None else attempts - len(episodes),
        frames=float(np.mean(lengths)),
        shortest=min(lengths),
        longest=max(lengths),
    )


def stamp(settings: ExtractDemos) -> dict:
    """Return what an episode's content depends on: the source's settings, and a hash of the simulator's code."""
    names = CONTENT_SETTINGS[settings.source]
    content = {"source": settings.source} | {name: asdict(settings)[name] for name in names}
    if settings.source == "tabletop":
        code = hashlib.sha256()
        for path in sorted((Path(__file__).parent / "tabletop").rglob("*.py")):
            code.update(path.read_bytes().replace(b"\r\n", b"\n"))
        content["code"] = code.hexdigest()[:16]
    return content


def prepare_folder(output: Path, demos: dict[str, int], content: dict) -> None:
    """Remove episodes that `demos` does not name or that have another stamp, then write `content` as the stamp.

    Raises CollectionError, and removes nothing, if `output` holds files but no stamp.
    """
    if output.exists() and any(not entry.name.startswith(".") for entry in output.iterdir()):
        try:
            keep = json.loads((output / STAMP).read_text(encoding="utf-8")) == content
            keep = keep and content.get("source") != "recorded"  # a recording can be damaged later
        except (OSError, ValueError):
            raise CollectionError(
                f"{output}: holds files but no readable {STAMP}, so this stage did not make them. Fix: move them "
                "away; to study recordings, set source: recorded and recorded_folder."
            ) from None
        for folder in [entry for entry in output.iterdir() if entry.is_dir()]:
            if not keep or folder.name not in demos:
                shutil.rmtree(folder)
        for folder in list_episodes(output):
            task, _, number = episode_place(folder)
            if number >= demos[task]:
                shutil.rmtree(folder)
        for unfinished in list(output.rglob(".*.part")):  # of a collection that was killed
            shutil.rmtree(unfinished, ignore_errors=True)
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / STAMP, content)
