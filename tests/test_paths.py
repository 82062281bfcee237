import errno
import json
import subprocess
import sys

import numpy as np
import pytest

from robotr1 import paths


def test_root_is_the_repository_whatever_the_working_directory(tmp_path):
    code = "from robotr1 import paths; print(paths.ROOT)"
    environment = {"PYTHONPATH": str(paths.ROOT), "PATH": ""}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(paths.ROOT)
    environment["ROBOTR1_ROOT"] = str(tmp_path)
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(tmp_path)


def test_relative_uses_forward_slashes(tmp_path):
    assert paths.relative(paths.DEMOS / "a" / "b.png") == "data/demos/a/b.png"
    assert paths.relative(tmp_path) == tmp_path.as_posix()


def test_atomic_write_replaces_only_on_success(tmp_path):
    target = tmp_path / "deep" / "file.txt"
    with paths.atomic_write(target) as temporary:
        temporary.write_text("old")
        assert not target.exists()
    with pytest.raises(ZeroDivisionError), paths.atomic_write(target) as temporary:
        temporary.write_text("half") / 0
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target]


def test_atomic_folder_replaces_the_whole_folder(tmp_path):
    target = tmp_path / "demos"
    with paths.atomic_folder(target) as temporary:
        (temporary / "stale.txt").write_text("1")
    with pytest.raises(ZeroDivisionError), paths.atomic_folder(target) as temporary:
        (temporary / "half.txt").write_text(f"{1 / 0}")
    assert [path.name for path in target.iterdir()] == ["stale.txt"]
    with paths.atomic_folder(target) as temporary:
        (temporary / "new.txt").write_text("3")
    assert [path.name for path in target.iterdir()] == ["new.txt"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("atomic", [paths.atomic_write, paths.atomic_folder])
def test_a_full_disk_names_the_file_and_the_fix(tmp_path, atomic):
    with pytest.raises(OSError, match=r"free some space.*target\.json"), atomic(tmp_path / "target.json"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_write_json_is_sorted_rounded_and_plain(tmp_path):
    content = {"b": np.float32(0.1), "a": [1 / 3, np.int64(2), True, None], "c": float("nan"), "d": -1e-9}
    paths.write_json(tmp_path / "x.json", content)
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text) == {"a": [0.333333, 2, True, None], "b": 0.1, "c": None, "d": 0.0}
    assert text.index('"a"') < text.index('"b"')
    assert "-0.0" not in text
    assert text.endswith("}\n")
