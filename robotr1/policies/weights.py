"""Check a model's weight files and tensor names. Transformers alone would initialise missing weights at random.

Files are opened for their headers only, and the model is built without storage, so the check takes seconds.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForImageTextToText
from transformers.utils import logging

from robotr1.policies.folders import PolicyError

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
WRAPPERS = ("module.", "_orig_mod.", "base_model.model.")  # prefixes that other tools leave on names
SHOWN = 3  # names in a message
LOADING_ERRORS = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError)
NEEDED = "A policy folder needs config.json and model.safetensors, or an adapter's two files."


def check_files(folder: Path) -> None:
    """Check that every file of a policy folder is the file itself and whole.

    Raises PolicyError with the name of a Git LFS pointer, a broken link, a truncated weight file or a missing shard.
    """
    for file in sorted(folder.iterdir()):
        if file.is_symlink() and not file.exists():
            raise PolicyError(f"{file}: a broken link to {file.readlink()}. Copy the file itself.")
        if file.is_file():
            _check_file(file)
    index = folder / "model.safetensors.index.json"
    if index.is_file() and not (folder / "model.safetensors").is_file():
        try:
            shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PolicyError(f"{index}: no index of shards ({error}). Copy it again.") from error
        for shard in sorted(shards):
            if not (folder / shard).is_file():
                raise PolicyError(f"{folder / shard}: this shard of {index.name} is missing. Copy all shards.")


def _check_file(file: Path) -> None:
    with open(file, "rb") as content:
        start = content.read(len(LFS_POINTER))
    if start == LFS_POINTER:
        raise PolicyError(f"{file}: a Git LFS pointer, not the file itself. Run `git lfs pull` where it comes from.")
    if file.suffix == ".safetensors":
        try:
            with safe_open(file, "pt"):
                pass
        except SafetensorError as error:
            raise PolicyError(f"{file}: truncated or damaged ({error}). Copy or download it again.") from error
    elif file.suffix == ".bin" and start.startswith(b"PK") and not zipfile.is_zipfile(file):
        raise PolicyError(f"{file}: truncated. Copy or download it again.")


def check_weights(name: str) -> None:
    """Check that a full model (folder or hub id) has exactly the weights that its config.json describes.

    The model is built without storage. One that is stored quantized cannot be: `load_checked` checks its names.
    Raises PolicyError as `check_files` and `load_checked` do, and for two different tensors that config.json ties.
    """
    if Path(name).is_dir():
        check_files(Path(name))
    try:
        config = AutoConfig.from_pretrained(name)
    except LOADING_ERRORS as error:
        raise PolicyError(f"{name}: no usable model ({error}). {NEEDED}") from error
    if getattr(config, "quantization_config", None) is None:
        _check_tie(Path(name), load_checked(name, device_map="meta"))


def load_checked(name: str, **options: Any) -> torch.nn.Module:
    """The model in a folder or of a hub id, loaded with the `options` of `from_pretrained`.

    Raises PolicyError for a broken model, and for missing, unexpected and mis-shaped weights, which it names.
    """
    try:
        with _quiet_loading():
            model, report = AutoModelForImageTextToText.from_pretrained(
                name, output_loading_info=True, ignore_mismatched_sizes=True, **options
            )
    except LOADING_ERRORS as error:
        raise PolicyError(f"{name}: no usable model ({error}). {NEEDED}") from error
    missing, unexpected = sorted(report["missing_keys"]), sorted(report["unexpected_keys"])
    shapes = [f"{key} {list(stored)} instead of {list(wanted)}" for key, stored, wanted in report["mismatched_keys"]]
    found = {"missing": missing, "unexpected": unexpected, "of another shape": sorted(shapes)}
    if any(found.values()):
        summary = "; ".join(f"{len(names)} {what} ({_some(names)})" for what, names in found.items() if names)
        raise PolicyError(f"{name}: the weights do not fit config.json: {summary}. {_fix(missing, unexpected)}")
    return model


def check_finite(name: str | Path, model: torch.nn.Module) -> None:
    """Raises PolicyError for a weight with NaN or infinity, as diverged training and damaged files leave them."""
    for key, weight in model.named_parameters():
        if weight.is_floating_point() and not weight.isfinite().all():
            raise PolicyError(f"{name}: {key} has values that are no numbers. Copy or train the policy again.")


@contextmanager
def _quiet_loading() -> Iterator[None]:
    """Hide transformers' progress bars and its report of names: loading takes seconds, and errors name the weights."""
    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _fix(missing: list[str], unexpected: list[str]) -> str:
    wrapper = next((prefix for prefix in WRAPPERS if all(name.startswith(prefix) for name in unexpected)), "")
    if unexpected and missing and wrapper:
        return f"All unexpected names begin with {wrapper!r}: save the unwrapped model, or remove that prefix."
    if missing == ["lm_head.weight"]:
        return "Add lm_head.weight, or set tie_word_embeddings to true where the model shares it with its embeddings."
    if missing and all(".visual." in name for name in missing):
        return "The vision tower is missing: copy the weights of the whole vision-language model."
    return "Copy config.json and all weight files of one model again."


def _check_tie(folder: Path, model: torch.nn.Module) -> None:
    """Where config.json ties lm_head.weight to the embeddings, two stored tensors must be equal.

    Transformers would leave them untied here, but other tools and a later save would tie them.
    """
    if not folder.is_dir() or not model.config.get_text_config().tie_word_embeddings:
        return
    stored = {}
    for file in folder.glob("model*.safetensors"):
        with safe_open(file, "pt") as tensors:
            for key in tensors.keys():  # noqa: SIM118 (no dictionary)
                if key.endswith(("lm_head.weight", "embed_tokens.weight")):
                    stored[key.rpartition(".")[0].rpartition(".")[2]] = tensors.get_tensor(key)
    if len(stored) == 2 and not torch.equal(*stored.values()):
        raise PolicyError(
            f"{folder}: config.json ties lm_head.weight to the embeddings, but the files have two different tensors. "
            "Set tie_word_embeddings to false."
        )
