"""The machine of a run and the time it took, for the report's first lines."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from robotr1 import paths
from robotr1.records import read_objects

STAGE_TIMES = paths.ROOT / ".stage_times.jsonl"  # the notebook runner appends a line for each stage that it ran
GPUS = Path("/proc/driver/nvidia/gpus")


def where_and_how_long(times: Path = STAGE_TIMES, executed: Path = paths.EXECUTED) -> str:
    """One sentence: the machine, and the wall-clock time of the stages whose executed notebooks this run has.

    The stage that writes the page has not ended yet, so its time is left out.
    """
    seconds = _newest(times)
    needed = sorted(path.stem[3:] for path in executed.glob("[0-9][0-9]_*.ipynb") if path.stem[:2] != "08")
    if not needed or not set(needed) <= set(seconds):
        return "Some stages were not run in this folder, so machine and time are unknown."
    minutes = sum(seconds[stage] for stage in needed) / 60
    training = sum(seconds[stage] for stage in needed if stage.startswith("train_grpo")) / 60
    share = f", {training:.1f} of them for reinforcement learning" if training else ""
    return f"The run took {minutes:.0f} minutes{share}, on {processors()}."


def processors() -> str:
    """Processor and graphics card, such as "2 x Intel(R) Xeon(R) Processor, no GPU"."""
    return f"{os.cpu_count()} x {processor()}, {_gpus() or 'no GPU'}"


def processor() -> str:
    """The processor's model on Linux; its architecture on other systems."""
    return next(_named(Path("/proc/cpuinfo"), "model name"), platform.processor() or platform.machine())


def _gpus() -> str:
    """The names of NVIDIA's cards; empty if there is none, or on another system than Linux."""
    models = [model for path in sorted(GPUS.glob("*/information")) for model in _named(path, "Model")]
    return ", ".join(models)


def _named(path: Path, key: str) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return (line.partition(":")[2].strip() for line in lines if line.startswith(key))


def _newest(times: Path) -> dict[str, float]:
    entries = read_objects(times) if times.is_file() else ()
    return {entry["stage"]: entry["seconds"] for _, entry in entries}
