"""Images for pretraining the tiny base: random snapshots of every task, rendered once and stored as arrays.

Each block of snapshots has its own generator, from (seed, task, block), so that the set does not depend on the number
of workers, and a stopped run resumes with the missing blocks. No episode of the study uses these generators. Training
uses the snapshots of seed `TRAIN`; choices are made on seed `VALIDATION`; errors are reported on seed `TEST`.
"""

import zlib
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from PIL import Image
from tqdm import tqdm

from robotr1.demos.tabletop.tasks import TASKS
from robotr1.paths import DATA, atomic_write
from robotr1.policies.tiny import IMAGE_SIZE

FOLDER = DATA / "pretrain"
BLOCK = 100
TRAIN, VALIDATION, TEST = 0, 1, 2  # seeds
MOST_OBJECTS, MOST_WAYPOINTS = 2, 11  # of a task
PADDED = {"objects": MOST_OBJECTS, "object_pixels": MOST_OBJECTS, "boxes": MOST_OBJECTS, "waypoints": MOST_WAYPOINTS}
STREAM = 7_000_000  # keeps these generators apart from those of the demonstrations


def block_path(task: str, block: int, seed: int, folder: Path) -> Path:
    return folder / f"seed{seed}" / f"{task}-{block:03d}.npz"


def render_block(task: str, block: int, seed: int, folder: Path) -> Path:
    """Render `BLOCK` snapshots of a task: images uint8 [B,140,140,3] and the facts of `random_snapshot`, stacked."""
    from robotr1.demos.tabletop.snapshots import random_snapshot

    path = block_path(task, block, seed, folder)
    if path.exists():
        return path
    rng = np.random.default_rng([STREAM, seed, zlib.crc32(task.encode()), block])
    snapshots = [random_snapshot(task, rng) for _ in range(BLOCK)]
    facts = {key: _compact([fact[key] for _, fact in snapshots]) for key in snapshots[0][1] if key != "task"}
    images = [
        Image.fromarray(image).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC) for image, _ in snapshots
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, images=np.stack([np.asarray(image) for image in images]), **facts)
    return path


def render_snapshots(blocks_per_task: int, seed: int, workers: int, folder: Path = FOLDER) -> None:
    """Render what is missing of `blocks_per_task` blocks of every task."""
    jobs = [(task, block) for block in range(blocks_per_task) for task in sorted(TASKS)]
    tasks = (delayed(render_block)(task, block, seed, folder) for task, block in jobs)
    for _ in tqdm(
        Parallel(n_jobs=workers, return_as="generator_unordered")(tasks),
        total=len(jobs),
        desc=f"blocks of {BLOCK} snapshots",
    ):
        pass


def load_snapshots(blocks_per_task: int, seed: int = TRAIN, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """All blocks in a fixed order, tasks alternating: images, task (names) and the facts of `random_snapshot`.

    `objects`, `object_pixels`, `boxes` and `waypoints` are padded with NaN to `MOST_OBJECTS` and `MOST_WAYPOINTS`.

    Raises:
        FileNotFoundError: a block was not rendered yet.
    """
    parts: dict[str, list] = {}
    for block in range(blocks_per_task):
        for task in sorted(TASKS):
            with np.load(block_path(task, block, seed, folder)) as arrays:
                for key, values in arrays.items():
                    parts.setdefault(key, []).append(_padded(values, PADDED.get(key)))
            parts.setdefault("task", []).append(np.array([task] * BLOCK))
    return {key: np.concatenate(values) for key, values in parts.items()}


def _compact(values: list) -> np.ndarray:
    """Stack facts; fractions take 32 bits."""
    stacked = np.array(values)
    return stacked.astype(np.float32) if stacked.dtype == np.float64 else stacked


def _padded(values: np.ndarray, length: int | None) -> np.ndarray:
    """Fill the second axis with NaN up to `length`, unless None."""
    if length is None:
        return values
    padded = np.full((len(values), length, *values.shape[2:]), np.nan, values.dtype)
    padded[:, : values.shape[1]] = values
    return padded
