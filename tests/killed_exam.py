"""An exam in a process of its own that kills itself without warning, for tests/evaluation/test_asking.py."""

import json
import multiprocessing
import os
import signal
from pathlib import Path

import torch

from robotr1 import paths
from robotr1.evaluation import completions as asking

PROCESSES = multiprocessing.get_context("forkserver")  # torch is imported once for all of them
PROCESSES.set_forkserver_preload(["torch", "robotr1.policies.generate", "robotr1.policies.load"])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _sit(models: Path, folder: Path, settings, asked, log: Path, result: Path, moment: tuple[str, int] | None) -> None:
    torch.set_num_threads(1)
    paths.MODELS = models
    get, put = asking.Transcript.get, asking.Transcript.put

    def counted(transcript, batch, images):
        known = get(transcript, batch, images)
        if known is None:
            if moment == ("asking", len(log.read_text().splitlines())):
                die()
            with open(log, "a") as file:
                file.write(json.dumps([images, *(question.id for question in batch)]) + "\n")
        return known

    def cut(transcript, batch, images, completions):
        if moment != ("writing", len(log.read_text().splitlines())):
            return put(transcript, batch, images, completions)
        before = transcript.file.read_bytes()
        put(transcript, batch, images, completions)
        whole = transcript.file.read_bytes()
        transcript.file.write_bytes(whole[: (len(before) + len(whole)) // 2])
        die()

    asking.Transcript.get, asking.Transcript.put = counted, cut
    ask = asking.asker("base", settings, folder)
    result.write_text(json.dumps([ask(asked), ask(asked, "blank")]))


def sit(models: Path, folder: Path, settings, asked, log: Path, moment: tuple[str, int] | None = None) -> list | None:
    """Ask all of `asked` with real and with blank images; `log` gets a line for each batch that the policy is asked.

    `moment` ("asking" or "writing", N) kills the process before the Nth batch is asked, or while it is written. Returns
    the completions, or None where it was killed.
    """
    log.touch()
    result = log.with_suffix(".result")
    process = PROCESSES.Process(target=_sit, args=(models, folder, settings, asked, log, result, moment))
    process.start()
    process.join()
    assert process.exitcode == (-signal.SIGKILL if moment else 0)
    return None if moment else json.loads(result.read_text())
