"""Episodes that run together."""

import os
import time

import pytest

from robotr1 import paths
from robotr1.evaluation.episodes import STALE, image_folder, run_in_groups


def counting(name, steps, asked):
    """An episode of `steps` requests that returns its name and the completions it got."""
    received = []
    for step in range(steps):
        asked.append((name, step))
        received.append((yield f"{name}{step}"))
    return name, received


@pytest.mark.parametrize("size", [1, 2, 5])
def test_results_are_in_order_and_every_episode_gets_its_own_completions(size):
    batches = []

    def complete(requests):
        batches.append(len(requests))
        return [request.upper() for request in requests]

    lengths = {"a": 2, "b": 0, "c": 3, "d": 1}
    groups = list(run_in_groups((counting(n, steps, []) for n, steps in lengths.items()), complete, size))
    assert [len(group) for group in groups] == [min(size, 4 - start) for start in range(0, 4, size)]
    assert [result for group in groups for result in group] == [
        (name, [f"{name.upper()}{step}" for step in range(steps)]) for name, steps in lengths.items()
    ]
    assert batches == {1: [1] * 6, 2: [1, 1, 2, 1, 1], 5: [3, 2, 1]}[size]


def test_a_group_starts_only_after_the_one_before():
    asked = []
    groups = run_in_groups((counting(n, 1, asked) for n in "abc"), lambda requests: requests, 2)
    assert asked == []
    next(groups)
    assert asked == [("a", 0), ("b", 0)]


def test_too_few_completions_are_an_error():
    with pytest.raises(ValueError, match="zip"):
        list(run_in_groups((counting(n, 1, []) for n in "ab"), lambda requests: requests[:1], 2))


def test_the_image_folder_is_inside_the_repository_and_temporary():
    with image_folder() as folder, image_folder() as other:
        assert folder.is_dir() and folder != other
        assert folder.is_relative_to(paths.ROOT)
    assert not folder.exists()


def test_the_folder_of_a_killed_run_is_removed_a_day_later(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path)
    killed, running = tmp_path / "episodes/killed", tmp_path / "episodes/running"
    for folder in (killed, running):
        folder.mkdir(parents=True)
        (folder / "0.png").write_bytes(b"")
    os.utime(killed, (time.time() - STALE - 1,) * 2)
    with image_folder():
        assert not killed.exists() and running.exists()
