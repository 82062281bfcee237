"""Collect many demonstrations of the scripted expert in parallel; the result does not depend on the workers."""

import os
import zlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

from robotr1.demos.tabletop.gl import choose_renderer
from robotr1.demos.tabletop.tasks import TASKS
from robotr1.demos.write import CAMERAS as CAMERA_NAMES
from robotr1.demos.write import write_episode
from robotr1.paths import PANDA

MAX_ATTEMPTS = 10  # per demonstration, RLBench's own number
VARIATION = 0  # the paper's


class CollectionError(RuntimeError):
    """Demonstrations could not be collected; the message names the reason and the fix."""


def check_tabletop(names: Iterable[str]) -> None:
    """Raise CollectionError unless the tabletop has these tasks and the robot's meshes."""
    if unknown := sorted(set(names) - set(TASKS)):
        raise CollectionError(
            f"the tabletop has no task {', '.join(unknown)}. Fix: choose train_tasks and held_out_tasks from "
            f"{', '.join(sorted(TASKS))}, or another source."
        )
    if not (PANDA / "panda.json").exists():
        raise CollectionError(f"{PANDA}: no robot meshes. Fix: run `python -m robotr1.demos.tabletop.panda` once")


def collect_tabletop(demos: dict[str, int], output: Path, *, workers: int, **content) -> None:
    """Write `demos[task]` episodes of every task below `output`; existing episodes are kept.

    `content` are the keyword arguments of `collect_episode`. joblib runs the work: by default in `workers` processes on
    this machine, or on the backend of an outer `joblib.parallel_config(backend=...)`, such as a Dask or Ray cluster
    that shares `output`.

    Raises:
        CollectionError: MAX_ATTEMPTS placements in a row failed.
    """
    places = [(task, episode) for task, amount in demos.items() for episode in range(amount)]
    missing = [place for place in places if not (episode_folder(output, *place) / "low_dim_obs.pkl").exists()]
    choose_renderer()  # once: local workers inherit the choice
    job = joblib.delayed(collect_episode)
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
    written = parallel(job(*place, output, **content) for place in missing)
    for _ in tqdm(written, total=len(missing), desc="demonstrations", unit="demo"):
        pass


def collect_episode(
    task: str,
    episode: int,
    output: Path,
    *,
    image_size: int,
    frame_interval: int,
    seed: int,
    frames: str = "questions",
    cameras: Iterable[str] = ("front",),
    depth_and_masks: bool = False,
) -> Path:
    """Write one episode and return its folder; the expert tries placements until it succeeds.

    Images are rendered of every `frame_interval`-th frame and of the keyframes (`frames="questions"`), or of all
    frames. `num_reset_attempts` of RLBench is the number of placements tried. Raises CollectionError after
    MAX_ATTEMPTS failed placements.
    """
    os.environ.setdefault("LP_NUM_THREADS", "1")  # software rendering would use every core; read at the first image
    from robotr1.demos.tabletop.expert import AttemptFailed, demonstrate, draw, frames_to_draw

    scene = _scene(task, image_size)
    reasons = []
    for attempt in range(MAX_ATTEMPTS):
        scene.reset(attempt_generator(seed, task, episode, attempt))
        try:
            recording = demonstrate(scene)
        except AttemptFailed as failure:
            reasons.append(str(failure))
            continue
        drawn = frames_to_draw(recording, 1 if frames == "all" else frame_interval)
        return write_episode(
            episode_folder(output, task, episode),
            instructions=scene.task.instructions(VARIATION),
            **recording.series(),
            cameras=recording.cameras(CAMERA_NAMES),
            images=draw(scene, recording, drawn, cameras, depth_and_masks),
            num_reset_attempts=attempt + 1,
        )
    raise CollectionError(f"{task}, episode {episode}: {MAX_ATTEMPTS} attempts failed: {'; '.join(reasons)}")


def attempt_generator(seed: int, task: str, episode: int, attempt: int) -> np.random.Generator:
    """Return the generator of one attempt, independent of all others."""
    return np.random.default_rng([seed, zlib.crc32(task.encode()), episode, attempt])


def episode_folder(root: Path, task: str, episode: int) -> Path:
    """Return RLBench's folder of an episode of variation 0."""
    return Path(root) / task / f"variation{VARIATION}" / "episodes" / f"episode{episode}"


@lru_cache(maxsize=1)
def _scene(task: str, image_size: int):
    """Build a scene once per process and task; building takes longer than a demonstration."""
    from robotr1.demos.tabletop.scene import TabletopScene

    return TabletopScene(task, np.random.default_rng(), image_size, VARIATION)
