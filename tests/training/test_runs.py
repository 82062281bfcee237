import dataclasses

import pytest
from small_settings import GRPO

from robotr1.training import runs


def test_micro_batches(monkeypatch):
    assert runs.micro_batches(80, 0) == (80, 1)
    assert runs.micro_batches(80, 20) == (20, 4)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert runs.micro_batches(80, 0) == (20, 1)
    assert runs.micro_batches(80, 5) == (5, 4)
    with pytest.raises(ValueError, match="micro_batch"):
        runs.micro_batches(80, 3)


def test_fingerprint_sees_settings_questions_and_base(questions, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"one")
    marks = [
        runs.fingerprint(GRPO, questions, tmp_path),
        runs.fingerprint(dataclasses.replace(GRPO, seed=1), questions, tmp_path),
        runs.fingerprint(GRPO, questions[1:], tmp_path),
        runs.fingerprint(GRPO, questions, "some/hub-id"),
    ]
    assert runs.fingerprint(GRPO, questions, tmp_path) == marks[0]
    (tmp_path / "model.safetensors").write_bytes(b"two")
    marks.append(runs.fingerprint(GRPO, questions, tmp_path))
    assert len(set(marks)) == len(marks)


def test_checkpoints_of_another_run_are_dropped(tmp_path):
    folder = tmp_path / "run"
    assert runs.last_checkpoint(folder, "a") is None
    for step in (2, 10):
        (folder / f"checkpoint-{step}").mkdir()
        (folder / f"checkpoint-{step}/trainer_state.json").write_text("{}")
    for step, state in ((12, None), (14, ""), (16, '{"epoch": 0.')):  # cut off while they were written
        (folder / f"checkpoint-{step}").mkdir()
        if state is not None:
            (folder / f"checkpoint-{step}/trainer_state.json").write_text(state)
    assert runs.last_checkpoint(folder, "a") == str(folder / "checkpoint-10")
    assert runs.last_checkpoint(folder, "b") is None
    assert not list(folder.glob("checkpoint-*"))


def test_images_are_read_when_a_row_is(questions, tmp_path):
    dataset = runs.with_images([{"image": questions[0].image}, {"image": str(tmp_path / "absent.png")}])
    assert dataset[0]["image"].size == (56, 56)
    with pytest.raises(ValueError, match=r"absent\.png"):
        dataset[1]
