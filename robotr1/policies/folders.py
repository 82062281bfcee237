"""Policy folders: find them, identify their weights, and read which base an adapter belongs to."""

import hashlib
import json
import os
from pathlib import Path

from robotr1 import paths

DIGESTED_BYTES = 64 << 20  # of a larger file the digest covers its size and its first and last megabyte


class PolicyError(ValueError):
    """A policy folder that cannot be used; the message names the folder and the fix."""


def resolve(name: str | Path) -> str:
    """A local folder as an absolute path (relative ones start at the repository root), or a hub id unchanged.

    Raises PolicyError for a local path without a folder.
    """
    for candidate in (Path(name), paths.ROOT / name):
        if candidate.is_dir():
            return str(candidate.resolve())
    if Path(name).is_absolute() or str(name).startswith((".", "models/", "weights/", "checkpoints/")):
        raise PolicyError(f"{name}: no such policy folder. Run the stage that writes it (dvc repro), or name another.")
    return str(name)


def base_of(folder: str | Path) -> str | None:
    """The base model that an adapter folder names in its adapter_config.json; None for a full model.

    Raises PolicyError where adapter_config.json names none.
    """
    config = Path(resolve(folder)) / "adapter_config.json"
    if not config.is_file():
        return None
    try:
        base = json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (ValueError, KeyError, TypeError) as error:
        raise PolicyError(f"{config}: no base_model_name_or_path ({error}). Save the adapter again.") from error
    if not isinstance(base, str) or not base:
        raise PolicyError(f"{config}: base_model_name_or_path is {base!r}. Name the folder or hub id of its base.")
    return base


def digest(model: str | Path) -> str | None:
    """sha256 over config and weights of a model folder, independent of its name; None for a hub id."""
    folder = Path(model)
    kinds = ("config.json", "*.safetensors", "pytorch_model*.bin")
    files = sorted(file for kind in kinds for file in folder.glob(kind)) if folder.is_dir() else []
    content = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        content.update(f"{path.name} {size}".encode())
        with open(path, "rb") as file:
            if size <= DIGESTED_BYTES:
                content.update(file.read())
            else:
                content.update(file.read(1 << 20))
                file.seek(-(1 << 20), os.SEEK_END)
                content.update(file.read())
    return content.hexdigest() if files else None
