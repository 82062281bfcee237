"""Compare a run with the committed one: `reports/reproduction.md`, written at the end of every run.

Outputs of the stages are compared by hash with the dvc.lock of the last commit. Trained policies may differ between
machines: they are compared by whether today's accuracy lies in the committed interval. Settings that differ from the
committed ones are listed first, since then nothing needs to be equal.

`python -m robotr1.report.reproduction` prints the same for the files as they are now.
"""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from robotr1 import paths
from robotr1.policies.names import parse_name
from robotr1.report.names import label, ordered
from robotr1.report.reproduction.committed import Committed, committed, dvc_hash, read_yaml
from robotr1.report.reproduction.provenance import processor
from robotr1.report.tables import find_row, markdown

OUTPUT = paths.REPORTS / "reproduction.md"
# Outputs of the stage that writes this file: they do not exist yet when it is written. The report's page also names the
# machine and the time, so no two runs write the same bytes; its figures and tables are compared.
NOT_YET = (
    "reports/report.html",
    "reports/reproduction.md",
    "reports/metrics/analyze_results.json",
    "reports/metrics/headline.json",
    "reports/notebooks/08_analyze_results.ipynb",
)
SEEDS = ("seed", "seeds")
PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "mujoco", "numpy", "pandas")
PACKAGES += ("scipy", "statsmodels", "pillow", "matplotlib", "seaborn", "dvc")


def write_reproduction(output: Path = OUTPUT, root: Path = paths.ROOT) -> None:
    """Write the report on reproduction."""
    paths.write_text(output, reproduction(committed(root), root))


def reproduction(past: Committed, root: Path = paths.ROOT) -> str:
    """The report as markdown. Missing files are rows that say so, never errors."""
    outputs, policies = _outputs(past, root), _policies(past, root)
    said = [_verdict(past, outputs, policies) + "\n", _settings(past, root), _outputs_text(past, outputs)]
    return "\n".join(["# Reproduction\n", *said, _policies_text(past, policies), _seeds(root), _versions()])


def verdict(report: Path = OUTPUT) -> str:
    """The first sentence of a written report."""
    if not report.is_file():
        return "Nothing was compared with the committed run."
    return report.read_text(encoding="utf-8").split("\n\n")[1].replace("*", "")


def _settings(past: Committed, root: Path) -> str:
    title = "## Settings\n\n"
    if past.params is None:
        return title + "There are no committed settings to compare with.\n"
    before, today = _flat(past.params), _settings_of(root)
    changed = [name for name in sorted(before | today) if before.get(name) != today.get(name)]
    if not changed:
        return title + "params.yaml is the committed one.\n"
    rows = [{"setting": name, "committed": before.get(name, "-"), "today": today.get(name, "-")} for name in changed]
    said = "params.yaml differs from the committed one, so outputs may differ too:\n\n"
    return title + said + markdown(pd.DataFrame(rows))


def _outputs(past: Committed, root: Path) -> list[dict[str, str]]:
    """A row for each output that the committed lock (or else today's) names."""
    lock = past.lock
    if lock is None:
        file = root / "dvc.lock"
        lock = (read_yaml(file.read_bytes()) if file.is_file() else None) or {}
    rows = []
    for stage, entry in (lock.get("stages") or {}).items():
        for out in entry.get("outs") or []:
            if out["path"] in NOT_YET:
                continue
            before, today = out.get("md5") if past.lock is not None else None, dvc_hash(root / out["path"])
            same = "" if before is None else "same" if before == today else "different"
            rows.append(
                {
                    "stage": stage,
                    "output": out["path"],
                    "committed": (before or "-")[:10],
                    "today": (today or "-")[:10],
                    "": "missing" if today is None else same,
                }
            )
    return rows


def _outputs_text(past: Committed, rows: list[dict[str, str]]) -> str:
    title = "## Outputs\n\n"
    if not rows:
        return title + "No stage has been run and committed yet.\n"
    note = "Each output with its hash (first 10 digits) in the committed dvc.lock and today.\n\n"
    if past.lock is None:
        note = "There is no committed dvc.lock to compare with: today's hashes alone.\n\n"
    return title + note + markdown(pd.DataFrame(rows))


def _policies(past: Committed, root: Path) -> list[dict[str, str]]:
    """A row for each policy and test split, committed or run today."""
    file = root / "reports/tables/accuracy.csv"
    if past.accuracy is None or not file.is_file():
        return []
    before, today = (
        table.query("type == 'all' and split != 'validation'") for table in (past.accuracy, pd.read_csv(file))
    )
    rows = []
    for policy in ordered([*before["policy"], *today["policy"]]):
        if parse_name(policy).control:
            continue
        for split in sorted({*before["split"], *today["split"]}):
            then, now = (find_row(table, policy=policy, split=split) for table in (before, today))
            if then is None and now is None:
                continue
            rows.append(
                {
                    "policy": label(policy),
                    "split": split,
                    "committed": "-" if then is None else _accuracy(then),
                    "today": "-" if now is None else f"{now['accuracy']:.3f}",
                    "": _inside(then, now),
                }
            )
    return rows


def _accuracy(row: pd.Series) -> str:
    return f"{row['accuracy']:.3f} [{row['episode_low']:.3f}, {row['episode_high']:.3f}]"


def _inside(then: pd.Series | None, now: pd.Series | None) -> str:
    if then is None or now is None:
        return "new" if then is None else "not run"
    return "inside" if then["episode_low"] <= now["accuracy"] <= then["episode_high"] else "outside"


def _policies_text(past: Committed, rows: list[dict[str, str]]) -> str:
    title = "## Trained policies\n\n"
    if not rows:
        return title + "There is no committed accuracy to compare with.\n"
    return f"{title}Today's accuracy and the committed interval over episodes.\n\n{markdown(pd.DataFrame(rows))}"


def _verdict(past: Committed, outputs: list[dict[str, str]], policies: list[dict[str, str]]) -> str:
    """The whole report in one sentence."""
    compared = [row[""] for row in outputs if row[""]]
    if past.lock is None or not compared:
        return "**There is no committed run to compare with.**"
    said = f"{compared.count('same')} of {len(compared)} outputs are the same as committed"
    if asked := [row[""] for row in policies if row[""] in ("inside", "outside")]:
        said += f"; {asked.count('inside')} of {len(asked)} accuracies lie inside the committed intervals"
    others = [(word, sum(row[""] == word for row in policies)) for word in ("new", "not run")]
    said += "".join(f", {count} {'are' if word == 'new' else 'were'} {word}" for word, count in others if count)
    return f"**{said}.**"


def _seeds(root: Path) -> str:
    settings = _settings_of(root).items()
    rows = [{"seed of": name, "value": value} for name, value in settings if name.split(".")[-1] in SEEDS]
    return "## Seeds\n\n" + (markdown(pd.DataFrame(rows)) if rows else "params.yaml names no seed.\n")


def _versions() -> str:
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
