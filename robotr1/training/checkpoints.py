"""Checkpoints of a training run: when one is complete, and the fingerprint that says whether a run may resume.

A checkpoint is complete when its manifest is: a list of all its files with their sizes, written last. So neither a kill
nor a full disk while a checkpoint is written or removed leaves one that is taken for complete.
"""

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from transformers import TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, get_last_checkpoint

from robotr1 import paths
from robotr1.policies.folders import DIGESTED_BYTES, digest

MANIFEST = "manifest.json"


class WriteManifest(TrainerCallback):
    """Write the manifest of each checkpoint once all processes have saved their part."""

    def __init__(self, accelerator: Accelerator):
        self.accelerator = accelerator

    def on_save(self, args, state, control, **kwargs):
        self.accelerator.wait_for_everyone()
        if state.is_world_process_zero:
            write_manifest(Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}")


def write_manifest(checkpoint: Path) -> None:
    """List the files of a checkpoint that was written to the end."""
    files = [path for path in checkpoint.rglob("*") if path.is_file()]
    sizes = {path.relative_to(checkpoint).as_posix(): path.stat().st_size for path in files}
    paths.write_json(checkpoint / MANIFEST, sizes)


def is_complete(checkpoint: Path) -> bool:
    """Whether a checkpoint has its manifest and every file in it, with its size."""
    try:
        sizes = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        return all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def fingerprint(settings: Any, rows: Sequence[Any], base: str | Path, start: Path | None = None) -> str:
    """Digest of everything a run depends on: settings, examples, number of processes, files of the base and start.

    Of weights larger than 64 MB it covers size and both ends, as `folders.digest` does.
    """
    content = hashlib.sha256(json.dumps(dataclasses.asdict(settings), sort_keys=True).encode())
    content.update(os.environ.get("WORLD_SIZE", "1").encode())  # each process has random numbers of its own
    for row in rows:
        content.update(json.dumps(dataclasses.asdict(row), sort_keys=True).encode())
    for folder in filter(None, (base, start)):
        content.update(f"{digest(folder) or folder}".encode())
        for file in sorted(Path(folder).glob("*")) if Path(folder).is_dir() else []:
            content.update(f"{file.name} {file.stat().st_size}".encode())
            if file.is_file() and file.stat().st_size <= DIGESTED_BYTES:
                content.update(file.read_bytes())
    return content.hexdigest()


def last_checkpoint(folder: Path, mark: str) -> str | None:
    """The newest complete checkpoint in `folder` of the run with fingerprint `mark`, or None.

    Checkpoints of another run and incomplete ones are removed.
    """
    marker = folder / "fingerprint"
    if not (marker.is_file() and marker.read_text() == mark):
        shutil.rmtree(folder, ignore_errors=True)
        paths.write_text(marker, mark)
    remove_incomplete(folder)
    return get_last_checkpoint(str(folder))


def remove_incomplete(folder: Path) -> list[Path]:
    """Remove incomplete checkpoints; return their paths."""
    incomplete = [path for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if not is_complete(path)]
    for path in incomplete:
        shutil.rmtree(path)
    return incomplete


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a run that has saved its policy."""
    for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
        shutil.rmtree(path)
