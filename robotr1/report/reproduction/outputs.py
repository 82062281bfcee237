"""Compare each output of the stages with the committed run, on four levels."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from robotr1 import paths
from robotr1.report.reproduction import demonstrations
from robotr1.report.reproduction.committed import Committed, at_head, dvc_hash, read_yaml
from robotr1.report.reproduction.tolerance import similar

Level = Literal["same bytes", "same up to the tolerance", "inside the interval", "different", "missing", ""]
# Training differs between machines, so the outputs of these stages may differ inside the committed intervals.
TRAINED_STAGES = ("finetune_sft", "train_grpo", "run_benchmarks", "analyze_results")
# Outputs of the stage that writes the report on reproduction: they do not exist yet, or name machine and time.
NOT_COMPARED = (
    "reports/report.html",
    "reports/reproduction.md",
    "reports/metrics/analyze_results.json",
    "reports/metrics/headline.json",
    "reports/notebooks/08_analyze_results.ipynb",
)


@dataclass(frozen=True)
class Accuracy:
    """Today's accuracy of one policy on one split beside the committed interval over episodes."""

    policy: str  # without the form of its questions, such as "grpo-seed0"
    state: Literal["inside", "outside", "new", "not run"]


@dataclass(frozen=True)
class Output:
    """One output: its stage, path, the committed and today's hash (None if missing), and how they compare."""

    stage: str
    path: str
    before: str | None
    today: str | None
    level: Level  # "" without a committed hash


def compare_outputs(past: Committed, accuracies: Sequence[Accuracy], root: Path = paths.ROOT) -> list[Output]:
    """Compare every output of the committed lock; without one, list those of today's lock."""
    file = root / "dvc.lock"
    lock = past.lock or (read_yaml(file.read_bytes()) if file.is_file() else None) or {}
    found = []
    for stage, entry in (lock.get("stages") or {}).items():
        for out in entry.get("outs") or []:
            if out["path"] not in NOT_COMPARED:
                before = out.get("md5") if past.lock is not None else None
                today = dvc_hash(root / out["path"])
                level = _level(stage, out["path"], before, today, accuracies, root)
                found.append(Output(stage, out["path"], before, today, level))
    return found


def _level(
    stage: str, path: str, before: str | None, today: str | None, accuracies: Sequence[Accuracy], root: Path
) -> Level:
    if today is None:
        return "missing"
    if before is None:
        return ""
    if before == today:
        return "same bytes"
    if _similar(path, root):
        return "same up to the tolerance"
    if stage.partition("@")[0] in TRAINED_STAGES and _inside(path, accuracies):
        return "inside the interval"
    return "different"


def _inside(path: str, accuracies: Sequence[Accuracy]) -> bool:
    """Whether the accuracies of the policy that `path` names (of all policies, if it names none) are inside."""
    own = [accuracy for accuracy in accuracies if accuracy.policy != "base" and accuracy.policy in path]
    states = [accuracy.state for accuracy in own or accuracies]
    return bool(states) and set(states) == {"inside"}


def _similar(path: str, root: Path) -> bool:
    """Whether an output equals the one in the last commit up to the tolerance."""
    if path == "data/demos":
        committed = at_head(demonstrations.FILE, root)
        return demonstrations.similar_demonstrations(committed, demonstrations.fingerprints(root / path))
    if (root / path).is_file():
        before = at_head(path, root)
        return before is not None and similar(before, (root / path).read_bytes(), PurePosixPath(path).suffix)
    names = _files_at_head(path, root)
    files = [file for file in (root / path).rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    if not names or names != {file.relative_to(root).as_posix() for file in files}:
        return False
    return all(similar(at_head(name, root) or b"", (root / name).read_bytes(), Path(name).suffix) for name in names)


def _files_at_head(folder: str, root: Path) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "-z", "--name-only", "HEAD", f"{folder}/"], cwd=root, capture_output=True, check=False
    )
    return set(filter(None, listed.stdout.decode("utf-8").split("\0")))
