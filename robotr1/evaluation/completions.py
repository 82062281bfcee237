"""Sample completions from a policy in models/ and cache them until the benchmarks are done, so that a run can resume.

DVC deletes a stage's outputs before it runs the stage, so the cache is in checkpoints/run_benchmarks: one file for each
policy, one line for each batch. A batch is on the disk before the next one is sampled. After Ctrl-C, kill -9 or a power
cut the next run samples only what is missing, in the same batches, and ends with the same completions. A line counts
only for the same weights, code, libraries, settings, prompts and image files.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import robotr1.policies
from robotr1 import paths
from robotr1.settings import RunBenchmarks

if TYPE_CHECKING:  # these modules import torch, which reference policies do without
    from robotr1.policies.generate import Images
    from robotr1.policies.inputs.prompts import ImagePrompt

FOLDER = paths.CHECKPOINTS / "run_benchmarks"
GENERATION_SETTINGS = ("quantization", "batch_size", "max_completion_length", "temperature", "threads", "seed")
LIBRARIES = ("torch", "transformers", "peft")

_started = time.time()  # an older cache file was written by another run


class CompletionCache:
    """The completions of one policy: `file` holds its fingerprint, then a line for each batch, by the batch's digest.

    A damaged line is dropped, so its batch is sampled again. A file with another fingerprint is replaced.
    """

    def __init__(self, file: Path, fingerprint: str):
        self.file, self.batches = file, {}
        head, *lines = file.read_bytes().split(b"\n") if file.is_file() else [b""]
        if _parsed(head) == {"fingerprint": fingerprint}:
            for line in lines:
                self.batches |= {digest: texts for digest, texts in _parsed(line).items() if _are_texts(texts)}
        entries = [{"fingerprint": fingerprint}, *({digest: texts} for digest, texts in self.batches.items())]
        paths.write_text(file, "".join(json.dumps(entry) + "\n" for entry in entries))

    def get(self, batch: "Sequence[ImagePrompt]", images: "Images") -> list[str | None] | None:
        """The completions of a batch; None where it is not in the cache."""
        completions = self.batches.get(_digest(batch, images))
        return completions if completions is not None and len(completions) == len(batch) else None

    def put(self, batch: "Sequence[ImagePrompt]", images: "Images", completions: list[str | None]) -> None:
        """Write the completions of a batch to the disk. Raises OSError where it is full; earlier lines stay valid."""
        entry = {_digest(batch, images): completions}
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.batches |= entry

    @staticmethod
    def clear(folder: Path = FOLDER) -> None:
        """Delete the completions of all policies, once the results of the benchmarks are written."""
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Completer:
    """A loaded policy that completes prompts as the settings of run_benchmarks say."""

    model: Any
    processor: Any
    settings: RunBenchmarks
    cache: CompletionCache | None = None

    def __call__(
        self, questions: "Sequence[ImagePrompt]", images: "Images" = "real", prefixes: Sequence[str] | None = None
    ) -> list[str | None]:
        """One completion for each question, None where its image is missing or unreadable.

        `prefixes` start the completions, which are not cached then.
        """
        from robotr1.policies.generate import complete

        return complete(
            self.model,
            self.processor,
            questions,
            batch_size=self.settings.batch_size,
            max_completion_length=self.settings.max_completion_length,
            temperature=self.settings.temperature,
            seed=self.settings.seed,
            images=images,
            prefixes=prefixes,
            cache=None if prefixes else self.cache,
            skip_unreadable=True,
        )


def load_completer(policy: str, settings: RunBenchmarks, folder: Path | None = FOLDER) -> Completer:
    """Load the policy in `models/<policy>`; `folder` holds its cache, and None does without.

    With temperature 0 a completion depends on policy and question alone. Raises PolicyError for a folder without a
    policy.
    """
    import torch

    from robotr1.policies.load import load_policy

    torch.set_num_threads(settings.threads)
    model, processor = load_policy(paths.MODELS / policy, quantization=settings.quantization)
    cache = None
    if folder is not None:
        file = folder / f"{policy}.jsonl"
        of_another_run = file.is_file() and file.stat().st_mtime < _started
        cache = CompletionCache(file, fingerprint(paths.MODELS / policy, settings))
        if of_another_run and cache.batches:
            known = sum(map(len, cache.batches.values()))
            print(f"{policy}: resuming after {known} completions in {paths.relative(file)}", file=sys.stderr)
    return Completer(model, processor, settings, cache)


def fingerprint(policy: Path, settings: RunBenchmarks) -> str:
    """Digest of everything but the question that a completion depends on: weights, code, libraries, settings."""
    from robotr1.policies.folders import base_of, digest, resolve

    base = base_of(policy)
    folders = [policy, *([Path(resolve(base))] if base else [])]
    how = [{name: getattr(settings, name) for name in GENERATION_SETTINGS}, [version(name) for name in LIBRARIES]]
    content = hashlib.sha256(json.dumps([how, [digest(folder) or str(folder) for folder in folders]]).encode())
    files = [file for folder in folders for file in sorted(folder.glob("*")) if file.suffix in (".json", ".jinja")]
    for file in [*files, *sorted(Path(robotr1.policies.__file__).parent.rglob("*.py"))]:
        content.update(file.read_bytes())
    return content.hexdigest()


def _digest(batch: "Sequence[ImagePrompt]", images: "Images") -> str:
    content = hashlib.sha256(images.encode())
    for question in batch:
        content.update(json.dumps([question.prompt, _image_digest(paths.ROOT / question.image)]).encode())
    return content.hexdigest()


def _image_digest(file: Path) -> str | None:
    """sha256 of an image file, None where it is missing."""
    try:
        state = file.stat()
    except OSError:
        return None
    return _digest_of_file(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=100_000)
def _digest_of_file(file: Path, changed: int, size: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(text is None or isinstance(text, str) for text in value)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
