"""Fingerprints of the demonstrations, small enough for git: `reports/tables/demonstrations.csv`.

Demonstrations are too large for git, so a later run compares its states and images with these fingerprints.
"""

import hashlib
import io
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.demos.layout import list_episodes
from robotr1.report.reproduction.tolerance import similar_thumbnails, thumbnail

FILE = "reports/tables/demonstrations.csv"
COLUMNS = ("episode", "states", "images", "first image")


def fingerprints(demos: Path = paths.DEMOS) -> pd.DataFrame:
    """One row per episode: its folder, md5 of its states, number of images, thumbnail of the first image."""
    rows = []
    for folder in list_episodes(demos) if demos.is_dir() else []:
        states = hashlib.md5((folder / "low_dim_obs.pkl").read_bytes()).hexdigest()
        images = sorted((folder / "front_rgb").glob("*.png"), key=lambda path: (len(path.stem), path.stem))
        name = folder.relative_to(demos).as_posix()
        rows.append((name, states, len(images), thumbnail(images[0]) if images else ""))
    return pd.DataFrame(rows, columns=COLUMNS)


def write_fingerprints(root: Path = paths.ROOT) -> None:
    """Write the fingerprints of `data/demos`."""
    text = fingerprints(root / "data/demos").to_csv(index=False, lineterminator="\n")
    paths.write_text(root / FILE, text)


def similar_demonstrations(before: bytes | None, today: pd.DataFrame) -> bool:
    """Whether today's episodes have the committed states, and the committed images up to the tolerance.

    `before` is the committed file of fingerprints; without one there is nothing to compare with.
    """
    if before is None:
        return False
    past = pd.read_csv(io.BytesIO(before), keep_default_na=False, dtype={"first image": str})
    if not past.drop(columns="first image").equals(today.drop(columns="first image")):
        return False
    return all(map(similar_thumbnails, past["first image"], today["first image"]))
