"""Whole episodes go to one split each, whatever their number and order."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.checks import BuildError
from robotr1.questions.splits import SPLITS, assign_splits

tasks = st.sampled_from(["pick_up_cup", "push_button", "lamp_on"])
keys = st.sets(st.tuples(tasks, st.integers(0, 2), st.integers(0, 40)), min_size=1, max_size=60)
counts = st.integers(0, 4)


@given(keys, counts, counts, st.randoms())
def test_every_episode_has_one_split_and_training_tasks_have_all(settings, keys, validation, test, random):
    held_out = [task for task in settings.held_out_tasks if task in {key[0] for key in keys}]
    chosen = replace(settings, validation_episodes=validation, test_episodes=test, held_out_tasks=held_out)
    per_task = Counter(task for task, _, _ in keys if task not in held_out)
    shuffled = random.sample(sorted(keys), len(keys))
    if any(number < validation + test + 1 for number in per_task.values()):
        with pytest.raises(BuildError, match="leave none to train on"):
            assign_splits(shuffled, chosen)
        return
    split_of = assign_splits(shuffled, chosen)
    assert set(split_of) == keys
    assert set(split_of.values()) <= set(SPLITS)
    assert split_of == assign_splits(sorted(keys), chosen)
    for task, number in per_task.items():
        found = Counter(split for key, split in split_of.items() if key[0] == task)
        assert (found["validation"], found["test_in"], found["test_out"]) == (validation, test, 0)
        assert found["train"] == number - validation - test
    assert {split for key, split in split_of.items() if key[0] in held_out} <= {"test_out"}
