"""A benchmark in a process of its own that kills itself without warning, for tests/evaluation/test_completions.py."""

import json
import multiprocessing
import os
import signal
from pathlib import Path

import torch

from robotr1 import paths
from robotr1.evaluation.completions import CompletionCache, load_completer

PROCESSES = multiprocessing.get_context("forkserver")  # torch is imported once for all of them
PROCESSES.set_forkserver_preload(["torch", "robotr1.policies.generate", "robotr1.policies.load"])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _run(models: Path, folder: Path, settings, asked, log: Path, result: Path, moment: tuple[str, int] | None) -> None:
    torch.set_num_threads(1)
    paths.MODELS = models
    get, put = CompletionCache.get, CompletionCache.put

    def counted(cache, batch, images):
        known = get(cache, batch, images)
        if known is None:
            if moment == ("sampling", len(log.read_text().splitlines())):
                die()
            with open(log, "a") as file:
                file.write(json.dumps([images, *(question.id for question in batch)]) + "\n")
        return known

    def cut(cache, batch, images, completions):
        if moment != ("writing", len(log.read_text().splitlines())):
            return put(cache, batch, images, completions)
        before = cache.file.read_bytes()
        put(cache, batch, images, completions)
        whole = cache.file.read_bytes()
        cache.file.write_bytes(whole[: (len(before) + len(whole)) // 2])
        die()

    CompletionCache.get, CompletionCache.put = counted, cut
    complete = load_completer("base", settings, folder)
    result.write_text(json.dumps([complete(asked), complete(asked, "blank")]))


def run(models: Path, folder: Path, settings, asked, log: Path, moment: tuple[str, int] | None = None) -> list | None:
    """Complete all of `asked` with real and with blank images; `log` gets a line for each batch that is sampled.

    `moment` ("sampling" or "writing", N) kills the process before the Nth batch is sampled, or while it is written.
    Returns the completions, or None where the process was killed.
    """
    log.touch()
    result = log.with_suffix(".result")
    process = PROCESSES.Process(target=_run, args=(models, folder, settings, asked, log, result, moment))
    process.start()
    process.join()
    assert process.exitcode == (-signal.SIGKILL if moment else 0)
    return None if moment else json.loads(result.read_text())
