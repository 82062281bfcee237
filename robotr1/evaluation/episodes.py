"""Run the episodes of an agent together, so that its policy completes one batch for all of them."""

import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from robotr1 import paths

STALE = 24 * 3600  # seconds without a new image

Request, Result = TypeVar("Request"), TypeVar("Result")
Episode = Generator[Request, str, Result]  # yields requests, receives completions, returns its result


def run_in_groups(
    episodes: Iterable[Episode[Request, Result]], complete: Callable[[list[Request]], Sequence[str]], size: int
) -> Iterator[list[Result]]:
    """Run `size` episodes at a time and yield the results of each group, in the order of the episodes.

    `complete` gets the requests of all running episodes of a group at once. The size changes only the speed, up to
    rounding inside a network's batch.
    """
    episodes = iter(episodes)
    while group := list(islice(episodes, size)):
        yield _run_group(group, complete)


def _run_group(
    episodes: Sequence[Episode[Request, Result]], complete: Callable[[list[Request]], Sequence[str]]
) -> list[Result]:
    results: dict[int, Result] = {}
    completions: dict[int, str | None] = dict.fromkeys(range(len(episodes)))  # None starts a coroutine
    while completions:
        requests = {}
        for number, completion in completions.items():
            try:
                requests[number] = episodes[number].send(completion)
            except StopIteration as end:
                results[number] = end.value
        completions = dict(zip(requests, complete(list(requests.values())), strict=True)) if requests else {}
    return [results[number] for number in range(len(episodes))]


@contextmanager
def image_folder() -> Iterator[Path]:
    """A temporary folder for the images of running episodes, inside the repository: questions name images from ROOT.

    A run that was killed leaves its folder behind; a later run removes it once it is STALE.
    """
    parent = paths.CHECKPOINTS / "episodes"
    parent.mkdir(parents=True, exist_ok=True)
    for folder in parent.iterdir():
        with suppress(FileNotFoundError):  # another run may remove it first
            if time.time() - folder.stat().st_mtime > STALE:
                shutil.rmtree(folder, ignore_errors=True)
    with TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)
