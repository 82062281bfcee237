import dataclasses
from pathlib import Path

import pytest
from small_settings import GRPO

from robotr1.policies.folders import DIGESTED_BYTES
from robotr1.training.checkpoints import fingerprint, last_checkpoint, write_manifest


def test_fingerprint_sees_settings_questions_and_base(questions, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"one")
    marks = [
        fingerprint(GRPO, questions, tmp_path),
        fingerprint(dataclasses.replace(GRPO, seed=1), questions, tmp_path),
        fingerprint(GRPO, questions[1:], tmp_path),
        fingerprint(GRPO, questions, "some/hub-id"),
    ]
    assert fingerprint(GRPO, questions, tmp_path) == marks[0]
    (tmp_path / "model.safetensors").write_bytes(b"two")
    marks.append(fingerprint(GRPO, questions, tmp_path))
    assert len(set(marks)) == len(marks)


def make_checkpoint(folder, step, manifest=True):
    checkpoint = folder / f"checkpoint-{step}"
    (checkpoint / "deeper").mkdir(parents=True)
    for name in ("trainer_state.json", "optimizer.pt", "deeper/weights.bin"):
        (checkpoint / name).write_text("content")
    if manifest:
        write_manifest(checkpoint)
    return checkpoint


def test_checkpoints_of_another_run_are_removed(tmp_path):
    assert last_checkpoint(tmp_path / "run", "a") is None
    make_checkpoint(tmp_path / "run", 2)
    newest = make_checkpoint(tmp_path / "run", 10)
    assert last_checkpoint(tmp_path / "run", "a") == str(newest)
    assert last_checkpoint(tmp_path / "run", "b") is None
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["fingerprint"]


@pytest.mark.parametrize("name", ["trainer_state.json", "optimizer.pt", "deeper/weights.bin", "manifest.json"])
@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_text("cont"), lambda path: path.write_text("")]
)
def test_an_incomplete_checkpoint_is_never_resumed(tmp_path, name, damage):
    last_checkpoint(tmp_path, "a")
    good, bad = make_checkpoint(tmp_path, 2), make_checkpoint(tmp_path, 4)
    damage(bad / name)
    make_checkpoint(tmp_path, 6, manifest=False)
    assert last_checkpoint(tmp_path, "a") == str(good)
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-2"]


def test_a_half_written_fingerprint_is_another_run(tmp_path):
    last_checkpoint(tmp_path, "abcdef")
    make_checkpoint(tmp_path, 2)
    (tmp_path / "fingerprint").write_text("abc")
    assert last_checkpoint(tmp_path, "abcdef") is None


def test_a_large_base_with_other_weights_is_another_base(questions, tmp_path):
    """Beyond 64 MB only both ends are read."""
    marks = []
    for content in (b"a", b"b"):
        with open(tmp_path / "model.safetensors", "wb") as file:
            file.truncate(DIGESTED_BYTES + 1)
            file.seek(0)
            file.write(content)
        marks.append(fingerprint(GRPO, questions, tmp_path))
    assert marks[0] != marks[1]
