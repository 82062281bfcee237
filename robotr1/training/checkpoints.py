"""Checkpoints of a training run, and the fingerprint that says whether a run may resume from them."""

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers.trainer_utils import get_last_checkpoint

DIGESTED_BYTES = 64 << 20  # of larger files only the size counts


def fingerprint(settings: Any, rows: Sequence[Any], base: str | Path, start: Path | None = None) -> str:
    """Digest of everything a run depends on: settings, examples, number of processes, files of the base and start."""
    content = hashlib.sha256(json.dumps(dataclasses.asdict(settings), sort_keys=True).encode())
    content.update(os.environ.get("WORLD_SIZE", "1").encode())  # each process has random numbers of its own
    for row in rows:
        content.update(json.dumps(dataclasses.asdict(row), sort_keys=True).encode())
    files = sorted(Path(base).glob("*")) if Path(base).is_dir() else []
    for file in [*files, *(sorted(start.glob("*")) if start else [])]:
        content.update(f"{file.name} {file.stat().st_size}".encode())
        if file.is_file() and file.stat().st_size <= DIGESTED_BYTES:
            content.update(file.read_bytes())
    return content.hexdigest() if files else hashlib.sha256(content.digest() + str(base).encode()).hexdigest()


def last_checkpoint(folder: Path, mark: str) -> str | None:
    """The newest complete checkpoint in `folder` of the run with fingerprint `mark`, or None.

    Checkpoints of another run and unfinished ones are removed.
    """
    marker = folder / "fingerprint"
    if folder.is_dir() and not (marker.is_file() and marker.read_text() == mark):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(mark)
    remove_unfinished(folder)
    return get_last_checkpoint(str(folder))


def remove_unfinished(folder: Path) -> list[Path]:
    """Remove checkpoints without a readable `trainer_state.json`, which is written last; return their paths."""
    unfinished = [path for path in folder.glob("checkpoint-*") if not _is_json(path / "trainer_state.json")]
    for path in unfinished:
        shutil.rmtree(path)
    return unfinished


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a run that has saved its policy."""
    for path in folder.glob("checkpoint-*"):
        shutil.rmtree(path)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
