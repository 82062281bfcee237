"""The study's paths, and atomic writes that never leave a partly written file.

Notebooks run in two working directories (notebooks/ in JupyterLab, the repository root in papermill), so every path
starts at `ROOT`, which the package's own location gives. Set the environment variable ROBOTR1_ROOT to use another
checkout.
"""

import errno
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("ROBOTR1_ROOT") or Path(__file__).resolve().parent.parent).resolve()

PARAMS = ROOT / "params.yaml"
NOTEBOOKS = ROOT / "notebooks"
WEIGHTS = ROOT / "weights"

DATA = ROOT / "data"
PANDA = DATA / "panda"
DEMOS = DATA / "demos"
KEYFRAMES = DATA / "keyframes.jsonl"
METADATA = DATA / "metadata"
QUESTIONS = DATA / "questions"
PREDICTIONS = DATA / "predictions"

MODELS = ROOT / "models"
CHECKPOINTS = ROOT / "checkpoints"

REPORTS = ROOT / "reports"
METRICS = REPORTS / "metrics"
FIGURES = REPORTS / "figures"
TABLES = REPORTS / "tables"
EXECUTED = REPORTS / "notebooks"


def relative(path: Path | str) -> str:
    """Return `path` relative to ROOT with forward slashes, as records hold it; unchanged if it is outside ROOT."""
    path = Path(path)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()


@contextmanager
def atomic_write(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it becomes `path`, on any error it is removed.

    Parent folders are made. A reader of `path` sees the old file or the whole new one, never a part.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise _say_disk_full(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on success it replaces `path`, on any error it is removed.

    The old folder is replaced as a whole, so no file of an earlier run remains.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    temporary.chmod(0o755)
    try:
        yield temporary
        if path.exists():
            replaced = temporary.with_suffix(".old")
            os.replace(path, replaced)
            os.replace(temporary, path)
            _remove(replaced)
        else:
            os.replace(temporary, path)
    except OSError as error:
        raise _say_disk_full(error, path) from error
    finally:
        with suppress(OSError):
            _remove(temporary)


def _remove(folder: Path) -> None:
    """Remove a folder, also where it holds read-only folders."""
    folder.chmod(0o700)
    for parent, folders, _ in os.walk(folder):
        for child in (Path(parent) / name for name in folders):
            if not child.is_symlink():
                child.chmod(0o700)
    shutil.rmtree(folder)


def _say_disk_full(error: OSError, path: Path) -> OSError:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return error
    return OSError(
        error.errno, "the disk is full; free some space and run the stage again; nothing was written to", str(path)
    )


def write_text(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8 with "\\n" line ends, atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path | str, content: Any) -> None:
    """Write metrics atomically: sorted keys, indent 2, floats rounded to 6 decimals.

    numpy scalars and arrays become plain numbers and lists. JSON has no nan or infinity: they become null.
    """
    text = json.dumps(_plain(content), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) + 0.0 if math.isfinite(value) else None
    return value
