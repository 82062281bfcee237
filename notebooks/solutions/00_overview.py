"""Solutions to the exercises of 00_overview: `python notebooks/solutions/00_overview.py` (half a minute)."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from robotr1 import paths
from robotr1.demos.episode import read_episode
from robotr1.demos.tabletop.episodes import collect_episode
from robotr1.demos.tabletop.panda import fetch_panda
from robotr1.keyframes import keyframes_of
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy
from robotr1.questions.build import build_questions
from robotr1.settings import load_settings
from robotr1.training.rewards import accuracy_reward, format_reward


def film(task, seed):
    folder = collect_episode(task, 0, Path(tempfile.mkdtemp()), image_size=224, frame_interval=10, seed=seed)
    episode = read_episode(folder)
    return episode, keyframes_of([episode])[0]


def another_seed():
    """1. The cup stands elsewhere, so keyframes and answers move; the number of keyframes stays."""
    for seed in (1, 2, 3):
        episode, record = film("pick_up_cup", seed)
        grasp = episode.gripper_pose[record.keyframes[1], :3]
        print(f"seed {seed}: keyframes {record.keyframes}, grasped at {grasp.round(2)}")


def lamp():
    """2. Two: above the button, where the gripper closes before it presses, and at the end of the press."""
    episode, record = film("lamp_on", 1)
    print("lamp_on:", record.keyframes, "gripper closes at", int(np.argmin(episode.gripper_open)))


def equal_rewards():
    """3. Whenever all five are right, or all five are wrong (and in the right form)."""
    episode, record = film("pick_up_cup", 1)
    alone = {"held_out_tasks": [], "validation_episodes": 0, "test_episodes": 0, "distractors": "uniform"}
    settings = replace(load_settings()["build_questions"], **alone)
    question = next(q for q in build_questions([episode], [record], settings)["train"] if q.frame == 30)
    policy, equal = load_policy(paths.WEIGHTS / "tiny"), 0
    for seed in range(10):
        ask = dict(batch_size=5, max_completion_length=64, temperature=1.0, seed=seed)
        samples = complete(*policy, [question] * 5, **ask)
        rewards = np.add(format_reward(samples), accuracy_reward(samples, answer=[question.answer] * 5))
        equal += len(set(rewards)) == 1
    print(f"all five equal in {equal} of 10 groups")


if __name__ == "__main__":
    if not paths.PANDA.is_dir():
        fetch_panda()
    another_seed()
    lamp()
    equal_rewards()
