"""Estimate the cost of larger runs from measurements: `python -m robotr1.report.scaling` writes `reports/scaling.md`.

Measurements come from `performance/results/` and the demonstrations in `data/`. Each number is measured or comes from
the formula beside it; missing measurements are called "not measured".
"""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from robotr1 import paths

OUTPUT = paths.REPORTS / "scaling.md"
DEMOS, QUESTIONS, PARAMETERS = 10**6, 10**8, 72 * 10**9
# One H100 SXM, from NVIDIA's data sheet: dense bfloat16 operations a second, bytes a second.
GPU_FLOPS, GPU_BANDWIDTH = 989e12, 3.35e12
UTILISATION = 0.3  # of GPU_FLOPS; an assumption
GPUS = 8
MB = 2**20  # bytes, as the performance scripts count them
NF4_BYTES = 4.127 / 8  # a weight: 4 bits and QLoRA's doubly quantised constants (arXiv 2305.14314, section 3)


def measured(results: Path = paths.ROOT / "performance/results", demos: Path = paths.DEMOS) -> dict[str, Any]:
    """All measurements that there are, by name; bytes and seconds."""
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in results.glob("*.json")}
    found: dict[str, Any] = {}
    if speed := read.get("demos"):
        found["demos_per_cpu_minute"] = round(60 * speed["demonstrations"] / speed["cpu_seconds"])
    if episodes := len(list(demos.glob("*/variation*/episodes/episode*"))):
        sizes = [path.stat().st_size for path in demos.rglob("*") if path.is_file()]
        found |= {"demo_bytes": sum(sizes) / episodes, "demo_files": len(sizes) / episodes}
    if sets := read.get("questions", {}).get("sets"):
        small, large = sets[0], sets[-1]
        added = large["questions"] - small["questions"]
        slope = MB * (large["peak_rss_mb"] - small["peak_rss_mb"]) / added if added else 0.0
        found["question_seconds"] = large["cpu_seconds"] / large["questions"]
        found["question_bytes"] = MB * large["file_mb"] / large["questions"]
        found["question_memory"] = (MB * large["peak_rss_mb"] - slope * large["questions"], slope)  # none, and each
    if steps := read.get("grpo_step", {}).get("steps"):
        found["step_seconds"] = {name: median(step["seconds"] for step in taken) for name, taken in steps.items()}
    table = results / "stage_times.md"
    return found | {"stage_times": table.read_text(encoding="utf-8") if table.is_file() else None}


def scaling(known: Mapping[str, Any], paper: Mapping[str, int]) -> str:
    """The page as markdown; `paper` holds the paper profile's settings, as `paper_profile` reads them."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, autoescape=False
    )
    environment.filters |= {"number": _number, "hours": _hours, "bytes": _bytes}
    return environment.get_template("scaling.md.j2").render(_demos(known) | _questions(known) | _policy(known, paper))


def _demos(known: Mapping[str, Any]) -> dict[str, Any]:
    rate, size, files = (known.get(name) for name in ("demos_per_cpu_minute", "demo_bytes", "demo_files"))
    hours = rate and DEMOS / rate / 60
    return {
        "demos": f"{DEMOS:,}",
        "demos_per_cpu_minute": rate,
        "demo_bytes": size,
        "demo_files": files,
        "demo_hours": hours,
        "demo_cluster_hours": hours and hours / 256,
        "demo_disk": size and size * DEMOS,
        "demo_all_files": files and files * DEMOS,
        "stage_times": known["stage_times"],
    }


def _questions(known: Mapping[str, Any]) -> dict[str, Any]:
    seconds, size = known.get("question_seconds"), known.get("question_bytes")
    start, each = known.get("question_memory") or (None, None)
    return {
        "questions": f"{QUESTIONS:,}",
        "question_seconds": seconds,
        "question_bytes": size,
        "question_hours": seconds and seconds * QUESTIONS / 3600,
        "question_disk": size and size * QUESTIONS,
        "question_peak": None if start is None else start + each * QUESTIONS,
    }


def _policy(known: Mapping[str, Any], paper: Mapping[str, int]) -> dict[str, Any]:
    completions = paper["prompts_per_step"] * paper["num_generations"]
    length, steps, prompt = paper["max_completion_length"], paper["steps"], paper["prompt_budget"]
    operations = 6 * PARAMETERS * completions * (length + prompt)
    weights = 2.0 * PARAMETERS
    timed = known.get("step_seconds") or {"": None}
    return {
        "grpo_steps": [
            (
                "one GRPO step of the tiny policy" + (name and f", {name}"),
                seconds and f"{seconds:.2f} s",
                "measured",
                "`performance/grpo_step.py`",
            )
            for name, seconds in timed.items()
        ],
        "weights": weights,
        "nf4_weights": NF4_BYTES * PARAMETERS,
        "operations": f"{operations:.1e}",
        "batch": f"{completions} completions of {length} tokens and prompts of {prompt}, both at their limits",
        "steps": steps,
        "gpus": GPUS,
        "training_hours": steps * operations / (GPUS * GPU_FLOPS * UTILISATION) / 3600,
        "generation_hours": steps * length * weights / (GPUS * GPU_BANDWIDTH) / 3600,
    }


def _number(value: float | None) -> str | None:
    return value and (f"{value:,.0f}" if value >= 100 else f"{value:.3g}")


def _hours(value: float | None) -> str | None:
    return value and (f"{value * 60:.0f} minutes" if value < 1 else f"{value:,.1f} hours")


def _bytes(value: float | None) -> str | None:
    if not value:
        return None
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def paper_profile(folder: Path = paths.ROOT / "conf") -> dict[str, int]:
    """The paper's settings of train_grpo, with the prompt budget."""
    config, profile = (
        yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in ("config.yaml", "profile/paper.yaml")
    )
    return config["train_grpo"] | profile["train_grpo"] | {"prompt_budget": config["build_questions"]["prompt_budget"]}


if __name__ == "__main__":
    paths.write_text(OUTPUT, scaling(measured(), paper_profile()))
