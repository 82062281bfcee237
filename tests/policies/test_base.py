import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from robotr1 import paths
from robotr1.policies.base import prepare_base
from robotr1.policies.folders import PolicyError
from robotr1.policies.load import load_policy
from robotr1.settings import PrepareBase


def settings(base: str, revision: str = "") -> PrepareBase:
    return PrepareBase(base=base, revision=revision, quantization="none")


def test_the_shipped_base_loads_from_its_copy(tmp_path):
    model, processor = load_policy(prepare_base(settings("tiny"), tmp_path / "base"))
    assert model.config.model_type == "qwen2_5_vl"
    assert processor.tokenizer.padding_side == "left"
    weights = sum(file.stat().st_size for file in (tmp_path / "base").iterdir())
    assert weights <= 20_000_000, "the shipped base has to stay small enough for git"


def test_a_folder_without_processor_leaves_nothing_behind(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "config.json").write_text(json.dumps({"model_type": "qwen2_5_vl"}))
    with pytest.raises(PolicyError, match="processor"):
        prepare_base(settings(str(source)), tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_a_hub_model_needs_a_revision(tmp_path):
    with pytest.raises(PolicyError, match="revision"):
        prepare_base(settings("somebody/some-model"), tmp_path / "base")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PolicyError, match="models/nowhere"):
        prepare_base(settings("models/nowhere"), tmp_path / "base")
    assert paths.MODELS.name == "models"


@pytest.fixture
def source(tmp_path):
    """A shared copy of the tiny base."""
    return shutil.copytree(paths.WEIGHTS / "tiny", tmp_path / "shared")


def test_a_read_only_base_is_replaceable_and_leaves_nothing_behind(source, tmp_path):
    (source / "extra").mkdir()
    (source / "extra/notes.txt").write_text("notes")
    for path in (*source.rglob("*"), source):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        for _ in range(2):
            prepare_base(settings(str(source)), tmp_path / "models/base")
    finally:
        for path in (source, *source.rglob("*")):
            path.chmod(0o755)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["base"]
    copied = [*(tmp_path / "models/base").rglob("*"), tmp_path / "models/base"]
    assert all(path.stat().st_mode & 0o200 for path in copied)
    assert (tmp_path / "models/base/extra/notes.txt").read_text() == "notes"


@pytest.fixture
def unprivileged():
    """Run as a user for whom permissions count; yields a folder of that user's."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    if user == 0:
        shutil.chown(folder, 65534)
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_base_that_an_earlier_version_copied_read_only_is_replaced(unprivileged):
    output = prepare_base(settings("tiny"), unprivileged / "models/base")
    (output / "extra").mkdir()
    (output / "extra/notes.txt").write_text("notes")
    for path in (*output.rglob("*"), output):
        path.chmod(0o555 if path.is_dir() else 0o444)
    with pytest.raises(PermissionError):
        (output / "new").write_text("")
    prepare_base(settings("tiny"), output)
    assert [path.name for path in output.parent.iterdir()] == ["base"]
    assert not (output / "extra").exists()


def test_a_failed_copy_of_read_only_folders_leaves_nothing_behind(unprivileged):
    def fail():
        with paths.atomic_folder(unprivileged / "base") as folder:
            (folder / "extra").mkdir()
            (folder / "extra/notes.txt").write_text("notes")
            (folder / "extra").chmod(0o555)
            folder.chmod(0o555)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not any(unprivileged.iterdir())


def test_hidden_files_of_a_clone_are_not_copied_and_links_become_files(source, tmp_path):
    (source / ".git/lfs").mkdir(parents=True)
    (source / ".git/lfs/object").write_text("7 GB")
    (source / "model.safetensors").rename(tmp_path / "blob")
    (source / "model.safetensors").symlink_to(tmp_path / "blob")
    copy = prepare_base(settings(str(source)), tmp_path / "base")
    assert not (copy / ".git").exists()
    assert (copy / "model.safetensors").is_file() and not (copy / "model.safetensors").is_symlink()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        ("tokenizer.json", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        ("model.safetensors", b"\x10\0\0", "model.safetensors: truncated or damaged"),
        ("model.safetensors", None, "no usable model"),
        ("config.json", b"{}", "no usable model"),
    ],
)
def test_a_base_that_cannot_load_is_refused_before_it_replaces_another(source, tmp_path, name, content, message):
    output = tmp_path / "base"
    prepare_base(settings("tiny"), output)
    before = {file.name: file.read_bytes() for file in output.iterdir()}
    (source / name).unlink()
    if content is not None:
        (source / name).write_bytes(content)
    with pytest.raises(PolicyError, match=message):
        prepare_base(settings(str(source)), output)
    assert {file.name: file.read_bytes() for file in output.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "shared"]
