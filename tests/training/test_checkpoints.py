import dataclasses

from small_settings import GRPO

from robotr1.training.checkpoints import fingerprint, last_checkpoint


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


def test_checkpoints_of_another_run_and_unfinished_ones_are_removed(tmp_path):
    folder = tmp_path / "run"
    assert last_checkpoint(folder, "a") is None
    for step in (2, 10):
        (folder / f"checkpoint-{step}").mkdir()
        (folder / f"checkpoint-{step}/trainer_state.json").write_text("{}")
    for step, state in ((12, None), (14, ""), (16, '{"epoch": 0.')):  # interrupted while they were written
        (folder / f"checkpoint-{step}").mkdir()
        if state is not None:
            (folder / f"checkpoint-{step}/trainer_state.json").write_text(state)
    assert last_checkpoint(folder, "a") == str(folder / "checkpoint-10")
    assert last_checkpoint(folder, "b") is None
    assert not list(folder.glob("checkpoint-*"))
