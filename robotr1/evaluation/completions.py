"""Ask a policy of models/, and keep what it writes until the exam is over, so that a run which was stopped goes on.

DVC removes a stage's outputs before it runs it, so completions are kept in checkpoints/run_benchmarks: a file for each
policy, a line for each batch, on the disk before the next batch is asked. After Ctrl-C, kill -9 or a power cut the next
run reads them and asks what is missing, in the same batches; it ends with the completions of a run that nobody stopped.
Lines count only for the same weights, code, settings, prompts and pixels.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from PIL import Image, UnidentifiedImageError

import robotr1.policies
from robotr1 import paths
from robotr1.settings import RunBenchmarks

if TYPE_CHECKING:  # the module imports torch, which reference policies do without
    from robotr1.policies.inputs import ImagePrompt

FOLDER = paths.CHECKPOINTS / "run_benchmarks"
ASKED_WITH = ("quantization", "batch_size", "max_completion_length", "temperature", "threads", "seed")
LIBRARIES = ("torch", "transformers", "peft")

Images = Literal["real", "blank"]
_started = time.time()  # what is older was written by another run


class Ask(Protocol):
    """A policy that was loaded: one completion for each question, None where its image is missing or broken."""

    def __call__(self, questions: "Sequence[ImagePrompt]", images: Images = "real") -> list[str | None]: ...


class Transcript:
    """What a policy has written so far: `file` has its fingerprint, then a line for each batch, by its digest.

    A line that was cut off or damaged is dropped, so its batch is asked again. A file with another fingerprint is
    replaced.
    """

    def __init__(self, file: Path, fingerprint: str):
        self.file, self.known = file, {}
        head, *lines = file.read_bytes().split(b"\n") if file.is_file() else [b""]
        if _parsed(head) == {"fingerprint": fingerprint}:
            for line in lines:
                self.known |= _parsed(line)
        kept = [{"fingerprint": fingerprint}, *({key: value} for key, value in self.known.items())]
        paths.write_text(file, "".join(json.dumps(line) + "\n" for line in kept))

    def get(self, batch: "Sequence[ImagePrompt]", images: Images) -> list[str] | None:
        """The completions of a batch that was asked before, else None."""
        return self.known.get(_digest(batch, images))

    def put(self, batch: "Sequence[ImagePrompt]", images: Images, completions: list[str]) -> None:
        """Have the completions of a batch on the disk. Raises OSError where it is full; what was kept stays good."""
        line = {_digest(batch, images): completions}
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.known |= line


def asker(policy: str, settings: RunBenchmarks, folder: Path = FOLDER) -> Ask:
    """Load the policy in `models/<policy>`, to be asked as `settings` say; `folder` keeps what it writes.

    With temperature 0 a completion depends on policy and question alone. Raises PolicyError for a folder without a
    policy.
    """
    import torch

    from robotr1.policies.generate import complete
    from robotr1.policies.load import load_policy

    torch.set_num_threads(settings.threads)
    model, processor = load_policy(paths.MODELS / policy, quantization=settings.quantization)
    file = folder / f"{policy}.jsonl"
    earlier = file.is_file() and file.stat().st_mtime < _started
    transcript = Transcript(file, fingerprint(paths.MODELS / policy, settings))
    known = sum(map(len, transcript.known.values()))
    if known and earlier:
        print(f"{policy}: going on after {known} answers in {paths.relative(transcript.file)}", file=sys.stderr)

    def ask(questions: "Sequence[ImagePrompt]", images: Images = "real") -> list[str | None]:
        shown = [index for index, question in enumerate(questions) if has_image(question.image)]
        written = complete(
            model,
            processor,
            [questions[index] for index in shown],
            batch_size=settings.batch_size,
            max_completion_length=settings.max_completion_length,
            temperature=settings.temperature,
            seed=settings.seed,
            images=images,
            cache=transcript,
        )
        completions = dict(zip(shown, written, strict=True))
        return [completions.get(index) for index in range(len(questions))]

    return ask


def forget(folder: Path = FOLDER) -> None:
    """Drop what was kept, once the exam's results are written."""
    shutil.rmtree(folder, ignore_errors=True)


def fingerprint(policy: Path, settings: RunBenchmarks) -> str:
    """Digest of everything that a completion depends on, but for the question: weights, code, libraries, settings."""
    from robotr1.policies.folders import base_of, digest, resolve

    base = base_of(policy)
    folders = [policy, *([Path(resolve(base))] if base else [])]
    how = [{name: getattr(settings, name) for name in ASKED_WITH}, [version(name) for name in LIBRARIES]]
    content = hashlib.sha256(json.dumps([how, [digest(folder) or str(folder) for folder in folders]]).encode())
    files = [file for folder in folders for file in sorted(folder.glob("*")) if file.suffix in (".json", ".jinja")]
    for file in [*files, *sorted(Path(robotr1.policies.__file__).parent.glob("*.py"))]:
        content.update(file.read_bytes())
    return content.hexdigest()


@cache
def has_image(image: str) -> bool:
    """Whether there is a picture at a path (relative to the project root)."""
    try:
        with Image.open(paths.ROOT / image) as picture:
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError):
        return False
    return True


def _digest(batch: "Sequence[ImagePrompt]", images: Images) -> str:
    content = hashlib.sha256(images.encode())
    for question in batch:
        pixels = hashlib.sha256((paths.ROOT / question.image).read_bytes()).hexdigest()
        content.update(json.dumps([question.prompt, pixels]).encode())
    return content.hexdigest()


def _parsed(line: bytes) -> dict:
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
