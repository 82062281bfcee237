"""Time and memory of each stage.

    python performance/stage_times.py          of the last run of each stage (from .stage_times.jsonl)
    python performance/stage_times.py --run    run every stage again, one after the other, and measure it

Writes performance/results/stage_times.json and stage_times.md. Memory is that of the largest single process of the
stage; CPU time is the sum over all its processes.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from common import MEGABYTES, machine, write

from robotr1.records import read_objects

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / ".stage_times.jsonl"


def logged() -> list[dict]:
    """The newest entry of each stage, as the notebook runner wrote it."""
    if not LOG.exists():
        sys.exit(f"{LOG.name} is missing: run `dvc repro` first, or this script with --run")
    entries = [entry for _, entry in read_objects(LOG)]
    newest = {entry["stage"]: entry for entry in entries}
    order = [stage.partition("@")[0] for stage in stages()]
    names = {entry["stage"]: entry["stage"].partition("-")[0] for entry in newest.values()}
    return sorted(newest.values(), key=lambda entry: [*order, names[entry["stage"]]].index(names[entry["stage"]]))


def stages() -> list[str]:
    """Names of the stages in the order of dvc.yaml."""
    command = [sys.executable, "-m", "dvc", "stage", "list", "--name-only"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


def measured() -> list[dict]:
    """Run every stage that is not frozen, each in its own process, and measure it."""
    entries = []
    for stage in stages():
        if stage == "pretrain_tiny":
            continue
        command = [sys.executable, "-m", "dvc", "repro", "--single-item", "--force", "--no-run-cache", stage]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{stage} failed")
        entry = {"stage": stage, "seconds": time.perf_counter() - started}
        entry |= {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_rss_mb": usage.ru_maxrss / MEGABYTES}
        entries.append(entry)
    return entries


def table(entries: list[dict]) -> str:
    """A markdown table with a last line for the sum."""
    line = "| {stage} | {seconds:.0f} s | {cpu_seconds:.0f} s | {peak_rss_mb:.0f} MB |"
    rows = [line.format(**entry) for entry in entries]
    wall, cpu = (sum(entry[key] for entry in entries) for key in ("seconds", "cpu_seconds"))
    peak = max((entry["peak_rss_mb"] for entry in entries), default=0)
    rows.append(f"| **all** | {wall / 60:.1f} min | {cpu / 60:.1f} min | {peak:.0f} MB |")
    return "\n".join(["| stage | wall clock | CPU | peak memory |", "|---|---:|---:|---:|", *rows])


def page(result: dict) -> str:
    """The result as markdown."""
    return f"{table(result['stages'])}\n\nMeasured on {result['machine']}.\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true", help="run every stage again and measure it")
    entries = measured() if parser.parse_args().run else logged()
    result = {"machine": machine(), "stages": entries}
    write("stage_times", result, page(result))
    print(page(result))
