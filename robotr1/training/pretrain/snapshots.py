"""Images for pretraining the tiny base: random snapshots of every task, rendered once and stored as arrays.

Each block of images has its own generator, from (seed, task, block), so that the set does not depend on the number of
workers, and a stopped run resumes with the missing blocks. No episode of the study uses these seeds.
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
BLOCK = 500
MOST_OBJECTS = 2  # of one task
STREAM = 7_000_000  # keeps these generators apart from those of the demonstrations


def render_block(task: str, block: int, seed: int, folder: Path) -> Path:
    """Render a block of B snapshots: images uint8 [B,140,140,3], gripper [B,3], objects [B,K,3] in metres, open [B]."""
    from robotr1.demos.tabletop.snapshots import random_snapshot

    path = folder / f"{task}-{block:03d}.npz"
    if path.exists():
        return path
    rng = np.random.default_rng([STREAM, seed, zlib.crc32(task.encode()), block])
    snapshots = [random_snapshot(task, rng) for _ in range(BLOCK)]
    facts = {key: np.array([fact[key] for _, fact in snapshots]) for key in ("gripper", "objects", "open")}
    images = [
        Image.fromarray(image).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC) for image, _ in snapshots
    ]
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, images=np.stack([np.asarray(image) for image in images]), **facts)
    return path


def render_snapshots(blocks_per_task: int, seed: int, workers: int, folder: Path = FOLDER) -> None:
    """Render what is missing of `blocks_per_task` blocks of every task."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(task, block) for block in range(blocks_per_task) for task in sorted(TASKS)]
    tasks = (delayed(render_block)(task, block, seed, folder) for task, block in jobs)
    for _ in tqdm(
        Parallel(n_jobs=workers, return_as="generator_unordered")(tasks),
        total=len(jobs),
        desc=f"blocks of {BLOCK} snapshots",
    ):
        pass


def load_snapshots(blocks_per_task: int, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """All blocks in a fixed order, tasks alternating: images, gripper, objects, open and task (names).

    `objects` is [N,`MOST_OBJECTS`,3], NaN where a task has fewer.
    """
    parts: dict[str, list] = {key: [] for key in ("images", "gripper", "objects", "open", "task")}
    for block in range(blocks_per_task):
        for task in sorted(TASKS):
            with np.load(folder / f"{task}-{block:03d}.npz") as arrays:
                for key in ("images", "gripper", "open"):
                    parts[key].append(arrays[key])
                objects = np.full((len(arrays["objects"]), MOST_OBJECTS, 3), np.nan)
                objects[:, : arrays["objects"].shape[1]] = arrays["objects"]
                parts["objects"].append(objects)
                parts["task"].append(np.array([task] * len(arrays["open"])))
    return {key: np.concatenate(values) for key, values in parts.items()}
