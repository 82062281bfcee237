"""Copy the repository, with or without uncommitted changes, and run DVC in the copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from robotr1 import paths


def copy_of_repository(target: Path) -> Path:
    """Copy what git lists, with uncommitted changes, to `target` and commit it there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=paths.ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        source = paths.ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "copy"]):
        subprocess.run([*git, *command], cwd=target, check=True, env=clean_environment())
    return target


def clone_of_repository(target: Path) -> Path | None:
    """Clone the last commit to `target`, without uncommitted changes; None outside a git checkout."""
    command = ["git", "clone", "-q", str(paths.ROOT), str(target)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, check=False)
    return target if done.returncode == 0 else None


def clean_environment(root: Path | None = None) -> dict[str, str]:
    """The environment without git's variables; with `root`, the package and its paths are those of that copy."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    kept |= {"DVC_NO_ANALYTICS": "1"}
    return kept | ({"ROBOTR1_ROOT": str(root), "PYTHONPATH": str(root)} if root else {})


def dvc(root: Path, *arguments: str) -> str:
    """Run DVC in `root` and return its output; a failure is an assertion with its last lines."""
    command = [sys.executable, "-m", "dvc", *arguments]
    result = subprocess.run(
        command, cwd=root, env=clean_environment(root), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert result.returncode == 0, f"dvc {' '.join(arguments)}\n{result.stdout[-5000:]}\n{result.stderr[-10000:]}"
    return result.stdout
