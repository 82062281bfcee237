"""Did this run give what the committed run gave? `reports/reproduction.md`, written at the end of every run.

Three levels: outputs of the study's stages are compared by hash with the dvc.lock of the last commit; trained policies,
which may differ between machines, by whether today's accuracy lies in the committed interval; and where the settings
differ from the committed ones, that is said first, since then nothing needs to be equal.

`python -m robotr1.report.reproduction` prints the same for the files as they lie.
"""

import hashlib
import io
import json
import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from robotr1 import paths
from robotr1.policies.names import CONTROLS
from robotr1.report.names import label, ordered
from robotr1.report.provenance import processor
from robotr1.report.results import find_row
from robotr1.report.tables import markdown

OUTPUT = paths.REPORTS / "reproduction.md"
# Written by the stage that writes this file, or this file itself: not there yet, or not comparable, when it is written.
# The report names the machine and the time it took, so it never comes out twice alike; its figures and tables do.
NOT_YET = (
    "reports/report.html",
    "reports/reproduction.md",
    "reports/metrics/analyze_results.json",
    "reports/metrics/headline.json",
    "reports/notebooks/08_analyze_results.ipynb",
)
_SEEDS = ("seed", "seeds")
PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "mujoco", "numpy", "pandas")
PACKAGES += ("scipy", "statsmodels", "pillow", "matplotlib", "seaborn", "dvc")


@dataclass(frozen=True)
class Committed:
    """What the last commit holds: lock, settings and accuracy table; None where it has none."""

    lock: dict[str, Any] | None
    params: dict[str, Any] | None
    accuracy: pd.DataFrame | None


def committed(root: Path = paths.ROOT) -> Committed:
    """Read the last commit with git; all parts are None outside a git checkout."""
    lock, params = (_yaml(_at_head(root, name)) for name in ("dvc.lock", "params.yaml"))
    accuracy = _at_head(root, "reports/tables/accuracy.csv")
    return Committed(lock, params, pd.read_csv(io.StringIO(accuracy)) if accuracy else None)


def write_reproduction(output: Path = OUTPUT, root: Path = paths.ROOT) -> None:
    """Write the report on reproduction."""
    paths.write_text(output, reproduction(committed(root), root))


def reproduction(past: Committed, root: Path = paths.ROOT) -> str:
    """The report as markdown. Missing files are rows that say so, never errors."""
    outputs, policies = _outputs(past, root), _policies(past, root)
    said = [_verdict(past, outputs, policies) + "\n", _settings(past, root), _outputs_text(past, outputs)]
    return "\n".join(["# Reproduction\n", *said, _policies_text(past, policies), _seeds(root), _versions()])


def verdict(report: Path = OUTPUT) -> str:
    """The one sentence that sums up a written report; says so where there is none."""
    if not report.is_file():
        return "Nothing was compared with the committed run."
    return report.read_text(encoding="utf-8").split("\n\n")[1].replace("*", "")


def dvc_hash(path: Path) -> str | None:
    """The md5 that DVC gives a file, or a folder (with ".dir" behind it); None where there is nothing."""
    if path.is_file():
        return _md5(path)
    if not path.is_dir():
        return None
    files = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    entries = [{"md5": _md5(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    entries.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def _settings(past: Committed, root: Path) -> str:
    title = "## Settings\n\n"
    if past.params is None:
        return title + "There are no committed settings to compare with.\n"
    today = _flat(_yaml((root / "params.yaml").read_text(encoding="utf-8")) or {})
    before = _flat(past.params)
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
        lock = (_yaml(file.read_text(encoding="utf-8")) if file.is_file() else None) or {}
    rows = []
    for stage, entry in (lock.get("stages") or {}).items():
        for out in entry.get("outs") or []:
            if out["path"] in NOT_YET:
                continue
            before, today = out.get("md5") if past.lock is not None else None, dvc_hash(root / out["path"])
            rows.append(
                {
                    "stage": stage,
                    "output": out["path"],
                    "committed": (before or "-")[:10],
                    "today": (today or "-")[:10],
                    "": "missing" if today is None else "" if before is None else _same(before == today),
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
        if policy in CONTROLS:
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
    flat = _flat(_yaml((root / "params.yaml").read_text(encoding="utf-8")) or {}) if _has_params(root) else {}
    rows = [{"seed of": name, "value": value} for name, value in flat.items() if name.split(".")[-1] in _SEEDS]
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


def _has_params(root: Path) -> bool:
    return (root / "params.yaml").is_file()


def _same(equal: bool) -> str:
    return "same" if equal else "different"


def _at_head(root: Path, name: str) -> str | None:
    try:
        shown = subprocess.run(["git", "show", f"HEAD:./{name}"], cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return shown.stdout.decode("utf-8")


def _yaml(text: str | None) -> dict[str, Any] | None:
    return yaml.safe_load(text) if text else None


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _flat(mapping: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in mapping.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


if __name__ == "__main__":
    print(reproduction(committed()), end="")
