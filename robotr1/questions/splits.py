"""Assign whole episodes to train, validation and test, so that no test frame has a near-copy in training."""

from collections import defaultdict
from collections.abc import Iterable

from robotr1.questions.checks import BuildError
from robotr1.settings import BuildQuestions

SPLITS = ("train", "validation", "test_in", "test_out")

EpisodeKey = tuple[str, int, int]  # task, variation, episode


def assign_splits(episodes: Iterable[EpisodeKey], settings: BuildQuestions) -> dict[EpisodeKey, str]:
    """Assign a split to every episode.

    The episodes of a training task, sorted by number and then variation, are first train, then validation, then
    test_in. All episodes of held-out tasks are test_out. Raises BuildError where none of a task is left to train on.
    """
    tasks = defaultdict(list)
    for key in sorted(episodes, key=lambda key: (key[0], key[2], key[1])):
        tasks[key[0]].append(key)
    if unknown := sorted(set(settings.held_out_tasks) - set(tasks)):
        raise BuildError(
            f"held_out_tasks: no demonstrations of {', '.join(unknown)}; the demos have {', '.join(tasks)}"
        )
    split_of = {}
    for task, keys in tasks.items():
        if task in settings.held_out_tasks:
            split_of |= dict.fromkeys(keys, "test_out")
            continue
        test_start = len(keys) - settings.test_episodes
        validation_start = test_start - settings.validation_episodes
        if validation_start < 1:
            raise BuildError(
                f"{task}: {len(keys)} episodes leave none to train on after {settings.validation_episodes} for "
                f"validation and {settings.test_episodes} to test; collect more, or lower validation_episodes or "
                "test_episodes"
            )
        split_of |= dict.fromkeys(keys[:validation_start], "train")
        split_of |= dict.fromkeys(keys[validation_start:test_start], "validation")
        split_of |= dict.fromkeys(keys[test_start:], "test_in")
    return split_of
