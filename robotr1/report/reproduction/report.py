"""Compare a run with the committed one: `reports/reproduction.md`, written at the end of every run.

Every output of the stages is on one of four levels: the same bytes as committed; the same up to the tolerance (images
and numbers); inside the interval (outputs of training, if today's accuracies are inside the committed intervals);
different. The first sentence tells whether the study reproduced.

`python -m robotr1.report.reproduction` prints the same for the files as they are now.
"""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from robotr1 import paths
from robotr1.policies.names import parse_name
from robotr1.report.reproduction.committed import Committed, committed, read_yaml
from robotr1.report.reproduction.demonstrations import write_fingerprints
from robotr1.report.reproduction.outputs import Accuracy, Output, compare_outputs
from robotr1.report.reproduction.provenance import processor
from robotr1.report.reproduction.tolerance import TOLERANCE
from robotr1.report.style.names import label, ordered
from robotr1.report.style.tables import find_row, markdown

OUTPUT = paths.REPORTS / "reproduction.md"
SEEDS = ("seed", "seeds")
PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "mujoco", "numpy", "pandas")
PACKAGES += ("scipy", "statsmodels", "pillow", "matplotlib", "seaborn", "dvc")
SHOWN = 3  # names of outputs in the first sentence


def write_reproduction(output: Path = OUTPUT, root: Path = paths.ROOT) -> None:
    """Write the report on reproduction, and the fingerprints that later runs compare with."""
    write_fingerprints(root)
    paths.write_text(output, reproduction(committed(root), root))


def reproduction(past: Committed, root: Path = paths.ROOT) -> str:
    """The report as markdown. Missing files are rows that say so, never errors."""
    accuracies, rows = _accuracies(past, root)
    outputs, changed = compare_outputs(past, accuracies, root), _changed_settings(past, root)
    parts = [
        "# Reproduction\n",
        f"**{verdict(past, outputs, accuracies, len(changed))}**\n",
        _settings_section(past, changed),
        _outputs_section(past, outputs),
        _accuracies_section(rows),
        _seeds_section(root),
        _versions_section(),
    ]
    return "\n".join(parts)


def first_sentence(report: Path = OUTPUT) -> str:
    """The first sentence of a written report."""
    if not report.is_file():
        return "Nothing was compared with the committed run."
    return report.read_text(encoding="utf-8").split("\n\n")[1].replace("*", "")


def verdict(past: Committed, outputs: Sequence[Output], accuracies: Sequence[Accuracy], changed: int) -> str:
    """Whether the study reproduced, in one sentence."""
    if past.lock is None or not outputs:
        return "There is no committed run to compare with."
    if changed:
        return f"Not comparable: {changed} setting(s) of params.yaml differ from the committed ones."
    missing = [output.path for output in outputs if output.level == "missing"]
    if missing:
        return f"Not complete: {_counted(missing, 'output is missing', 'outputs are missing')}; run `dvc repro`."
    different = [output.path for output in outputs if output.level == "different"]
    outside = [accuracy for accuracy in accuracies if accuracy.state == "outside"]
    if different:
        told = f"Not reproduced: {_counted(different, 'output differs', 'outputs differ')}."
        return told + (f" {len(outside)} of {len(accuracies)} accuracies are outside." if outside else "")
    levels = [output.level for output in outputs]
    if set(levels) == {"same bytes"}:
        return f"Reproduced: all {len(levels)} outputs have the committed bytes."
    told = f"Reproduced: {levels.count('same bytes')} of {len(levels)} outputs have the committed bytes"
    if count := levels.count("same up to the tolerance"):
        told += f"; {count} more {'is' if count == 1 else 'are'} the same up to the tolerance"
    if count := levels.count("inside the interval"):
        told += (
            f"; {count} more {'depends' if count == 1 else 'depend'} on training, with accuracies inside the intervals"
        )
    return told + "."


def _counted(names: Sequence[str], one: str, many: str) -> str:
    """Number, verb and the first few names: "2 outputs differ (data/demos, data/questions)"."""
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return f"{len(names)} {one if len(names) == 1 else many} ({shown})"


def _changed_settings(past: Committed, root: Path) -> list[dict[str, Any]]:
    """A row for each setting that differs from the committed one."""
    if past.params is None:
        return []
    before, today = _flat(past.params), _settings_of(root)
    names = [name for name in sorted(before | today) if before.get(name) != today.get(name)]
    return [{"setting": name, "committed": before.get(name, "-"), "today": today.get(name, "-")} for name in names]


def _settings_section(past: Committed, changed: list[dict[str, Any]]) -> str:
    title = "## Settings\n\n"
    if past.params is None:
        return title + "There are no committed settings to compare with.\n"
    if not changed:
        return title + "params.yaml is the committed one.\n"
    said = "params.yaml differs from the committed one, so outputs may differ too:\n\n"
    return title + said + markdown(pd.DataFrame(changed))


def _outputs_section(past: Committed, outputs: Sequence[Output]) -> str:
    title = "## Outputs\n\n"
    if not outputs:
        return title + "No stage has been run and committed yet.\n"
    note = (
        f"Each output with its hash (first 10 digits) in the committed dvc.lock and today. Tolerance: {TOLERANCE}.\n\n"
    )
    if past.lock is None:
        note = "There is no committed dvc.lock to compare with: today's hashes alone.\n\n"
    rows = [
        {
            "stage": output.stage,
            "output": output.path,
            "committed": (output.before or "-")[:10],
            "today": (output.today or "-")[:10],
            "": output.level,
        }
        for output in outputs
    ]
    return title + note + markdown(pd.DataFrame(rows))


def _accuracies(past: Committed, root: Path) -> tuple[list[Accuracy], list[dict[str, str]]]:
    """Each policy's accuracy on each test split, committed or of today, and the rows that show them."""
    file = root / "reports/tables/accuracy.csv"
    if past.accuracy is None or not file.is_file():
        return [], []
    before, today = (
        table.query("type == 'all' and split != 'validation'") for table in (past.accuracy, pd.read_csv(file))
    )
    found, rows = [], []
    for policy in ordered([*before["policy"], *today["policy"]]):
        for split in sorted({*before["split"], *today["split"]}) if not parse_name(policy).control else []:
            then, now = (find_row(table, policy=policy, split=split) for table in (before, today))
            if then is None and now is None:
                continue
            state = _state(then, now)
            found.append(Accuracy(parse_name(policy).policy, state))
            rows.append(
                {
                    "policy": label(policy),
                    "split": split,
                    "committed": "-" if then is None else _interval(then),
                    "today": "-" if now is None else f"{now['accuracy']:.3f}",
                    "": state,
                }
            )
    return found, rows


def _interval(row: pd.Series) -> str:
    return f"{row['accuracy']:.3f} [{row['episode_low']:.3f}, {row['episode_high']:.3f}]"


def _state(then: pd.Series | None, now: pd.Series | None) -> str:
    if then is None or now is None:
        return "new" if then is None else "not run"
    return "inside" if then["episode_low"] <= now["accuracy"] <= then["episode_high"] else "outside"


def _accuracies_section(rows: list[dict[str, str]]) -> str:
    title = "## Trained policies\n\n"
    if not rows:
        return title + "There is no committed accuracy to compare with.\n"
    return f"{title}Today's accuracy and the committed interval over episodes.\n\n{markdown(pd.DataFrame(rows))}"


def _seeds_section(root: Path) -> str:
    settings = _settings_of(root).items()
    rows = [{"seed of": name, "value": value} for name, value in settings if name.split(".")[-1] in SEEDS]
    return "## Seeds\n\n" + (markdown(pd.DataFrame(rows)) if rows else "params.yaml names no seed.\n")


def _versions_section() -> str:
    rows = [{"part": "Python", "version": platform.python_version()}]
    rows.append({"part": "system", "version": f"{platform.system()} {platform.machine()}"})
    rows.append({"part": "processor", "version": f"{os.cpu_count()} x {processor()}"})
    rows.append({"part": "threads (OMP_NUM_THREADS)", "version": os.environ.get("OMP_NUM_THREADS", "not set")})
    for package in PACKAGES:
        try:
            rows.append({"part": package, "version": version(package)})
        except PackageNotFoundError:
            rows.append({"part": package, "version": "not installed"})
    return f"## Machine and versions today\n\n{markdown(pd.DataFrame(rows))}"


def _settings_of(root: Path) -> dict[str, Any]:
    file = root / "params.yaml"
    return _flat(read_yaml(file.read_bytes()) if file.is_file() else None)


def _flat(mapping: dict[str, Any] | None) -> dict[str, Any]:
    return pd.json_normalize(mapping or {}).to_dict("records")[0]
