"""What the scripts share: the machine in one line, and results as JSON and markdown."""

import os
import platform
import sys
from pathlib import Path
from typing import Any

from robotr1 import paths

RESULTS = Path(__file__).resolve().parent / "results"
MEGABYTES = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, in kilobytes elsewhere


def processor() -> str:
    """Number and model of the CPU cores."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{os.cpu_count()} x {model}"


def machine() -> str:
    """Processor, GPU, Python and torch in one line."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{processor()}, {gpu}, Python {platform.python_version()}, torch {torch.__version__}"


def load_average() -> float:
    """The machine's load over the last minute, NaN where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def write(name: str, result: dict[str, Any], text: str) -> None:
    """Write `result` to results/<name>.json and `text` to results/<name>.md."""
    paths.write_json(RESULTS / f"{name}.json", result)
    paths.write_text(RESULTS / f"{name}.md", text)
