"""A small synthetic study: episodes, keyframes and settings."""

import pytest
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
    return BuildQuestions(
        types=["waypoint", "state", "movement"],
        forms=["open", "planning"],
        state="position",
        held_out_tasks=["lamp_on"],
        frame_interval=10,
        options=4,
        option_order="shuffled",
        distractors="other_episodes",
        minimum_gap=0.1,
        near_distance=0.3,
        dead_zone=0.01,
        decimals=2,
        prompt="compact",
        show_state=True,
        show_state_in_movement=False,
        prompt_budget=2048,
        validation_episodes=4,
        test_episodes=4,
        seed=0,
    )
