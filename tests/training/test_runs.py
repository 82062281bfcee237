import pytest

from robotr1.training import runs


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
