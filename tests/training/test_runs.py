import errno

import pytest
from small_settings import GRPO

from robotr1 import paths
from robotr1.training import runs
from robotr1.training.grpo import trainer as rl


def test_micro_batches(monkeypatch):
    assert runs.micro_batches(80, 0) == (80, 1)
    assert runs.micro_batches(80, 20) == (20, 4)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert runs.micro_batches(80, 0) == (20, 1)
    assert runs.micro_batches(80, 5) == (5, 4)
    with pytest.raises(ValueError, match="micro_batch"):
        runs.micro_batches(80, 3)


def test_images_are_read_when_a_row_is(questions, tmp_path):
    dataset = runs.with_images([{"image": questions[0].image}, {"image": str(tmp_path / "absent.png")}])
    assert dataset[0]["image"].size == (56, 56)
    with pytest.raises(ValueError, match=r"absent\.png"):
        dataset[1]


def test_a_full_disk_names_the_folder(base, questions, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")
    trainer = rl.make_trainer(GRPO, questions, base, "disk")

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    trainer.training_step = full
    with pytest.raises(OSError, match="checkpoints/disk could not be written .*No space left.* free some space"):
        runs.run(trainer, "mark")


def test_temporary_folders_of_killed_saves_are_removed(tmp_path):
    for name in (".grpo-seed0.abc.part", ".grpo-seed0.abc.old", "grpo-seed0", ".grpo-seed00.abc.part", "grpo-seed1"):
        (tmp_path / name / "inside").mkdir(parents=True)
    runs.remove_interrupted_saves(tmp_path / "grpo-seed0")
    assert {path.name for path in tmp_path.iterdir()} == {"grpo-seed0", ".grpo-seed00.abc.part", "grpo-seed1"}
