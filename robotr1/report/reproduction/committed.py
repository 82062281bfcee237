"""Read a run's committed results with git: lock, settings, accuracies; and DVC's hashes of files."""

import hashlib
import io
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from robotr1 import paths


@dataclass(frozen=True)
class Committed:
    """Lock, settings and accuracy table of the last commit; None for each that it does not hold."""

    lock: dict[str, Any] | None
    params: dict[str, Any] | None
    accuracy: pd.DataFrame | None


def committed(root: Path = paths.ROOT) -> Committed:
    """Read the last commit with git; all parts are None outside a git checkout."""
    lock, params = (read_yaml(at_head(name, root)) for name in ("dvc.lock", "params.yaml"))
    accuracy = at_head("reports/tables/accuracy.csv", root)
    return Committed(lock, params, pd.read_csv(io.BytesIO(accuracy)) if accuracy else None)


def at_head(name: str, root: Path = paths.ROOT) -> bytes | None:
    """The content of the file `name` (relative to `root`) in the last commit; None if it is not there."""
    try:
        return subprocess.run(["git", "show", f"HEAD:./{name}"], cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def read_yaml(text: bytes | str | None) -> dict[str, Any] | None:
    """The mapping in `text`; None if there is no text."""
    return yaml.safe_load(text) if text else None


def dvc_hash(path: Path) -> str | None:
    """The md5 that DVC gives a file, or a folder (with the ending ".dir"); None if there is neither."""
    if path.is_file():
        return _md5(path)
    if not path.is_dir():
        return None
    files = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    entries = [{"md5": _md5(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    entries.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
