"""A small synthetic study: episodes, keyframes and settings."""

from dataclasses import replace

import pytest
from small_settings import QUESTIONS
from synthetic_demos import write_synthetic

from robotr1.demos.episode import Episode, read_episode
from robotr1.keyframes import keyframes_of
from robotr1.records import Keyframes
from robotr1.settings import BuildQuestions


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> tuple[list[Episode], list[Keyframes]]:
    """Two training tasks with 14 episodes each and a held-out one with 4."""
    root = tmp_path_factory.mktemp("demos")
    counts = {"pick_up_cup": 14, "unheard_of_task": 14, "lamp_on": 4}
    episodes = [
        read_episode(write_synthetic(root, task, number)) for task, count in counts.items() for number in range(count)
    ]
    return episodes, keyframes_of(episodes)


@pytest.fixture(scope="session")
def settings() -> BuildQuestions:
    return replace(QUESTIONS, show_state=True)
