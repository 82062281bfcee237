"""Put the base policy of a study into place: the shipped tiny one, a local folder, or a pinned hub model."""

import shutil
from pathlib import Path

from huggingface_hub import snapshot_download

from robotr1 import paths
from robotr1.policies.folders import PolicyError, resolve
from robotr1.policies.processor import load_processor
from robotr1.policies.weights import check_files, check_weights
from robotr1.settings import PrepareBase


def prepare_base(settings: PrepareBase, output: Path = paths.MODELS / "base") -> Path:
    """Put the base policy of `settings.base` into `output`, whole or not at all, and return `output`.

    `tiny` is `weights/tiny` of this repository. A folder is copied. A hub id is downloaded and needs a revision:
    the study must stay the same when the hub's copy changes. Raises PolicyError with the fix.
    """
    source = paths.WEIGHTS / "tiny" if settings.base == "tiny" else Path(resolve(settings.base))
    with paths.atomic_folder(output) as folder:
        if source.is_dir():
            check_files(source)
            _copy(source, folder)
        elif settings.base == "tiny":
            raise PolicyError(f"{source}: the tiny base is missing. `git checkout weights/tiny`, or `make pretrain`.")
        else:
            _download(settings.base, settings.revision, folder)
        load_processor(folder)
        check_weights(str(folder))
    return output


def _copy(source: Path, folder: Path) -> None:
    """Copy the files but not their permissions: a base in a shared read-only folder must stay replaceable here.

    Hidden files and folders (a clone's .git) are left out.
    """
    for file in sorted(source.rglob("*")):
        name = file.relative_to(source)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / name)


def _download(name: str, revision: str, folder: Path) -> None:
    if not revision:
        raise PolicyError(f"prepare_base.revision: pin a commit of {name} on the hub; its newest one may change.")
    try:
        snapshot_download(name, revision=revision, local_dir=folder)
    except OSError as error:  # huggingface_hub's own errors are OSErrors too
        raise PolicyError(
            f"prepare_base.base: could not download {name} at {revision} ({type(error).__name__}). Check name, "
            "revision and network; or put the model into a folder and name that folder."
        ) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)
