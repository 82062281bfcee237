"""Processes that start in a moment: forked from one that has imported torch and TRL, not started anew."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import wait

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["robotr1.training.grpo.trainer", "robotr1.training.sft"])


def run_together(target: Callable, calls: list[tuple]) -> list[int]:
    """Call `target`, a function of an importable module, once in a process of its own for each tuple of arguments, all
    at the same time; returns the exit codes (negative: the signal that ended it). Where one fails, the others, which
    may wait for it, are ended."""
    processes = [FORKED.Process(target=target, args=arguments) for arguments in calls]
    for process in processes:
        process.start()
    alive = processes
    while alive:
        wait([process.sentinel for process in alive])
        alive = [process for process in alive if process.is_alive()]
        if any(process.exitcode for process in processes):
            for process in alive:
                process.terminate()
    return [process.exitcode for process in processes]
