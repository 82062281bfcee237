"""Solutions to the exercises of 01_extract_demos: `python notebooks/solutions/01_extract_demos.py`."""

import tempfile
from pathlib import Path

import numpy as np

from robotr1 import paths
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.demos.tabletop.episodes import collect_episode


def another_seed(task):
    """1. Places change, and with them every picture and path. The arm starts the same way: its first pose is fixed."""
    films = []
    for seed in (0, 1):
        folder = collect_episode(task, 0, Path(tempfile.mkdtemp()), image_size=64, frame_interval=10, seed=seed)
        films.append(read_episode(folder))
    one, other = films
    assert np.allclose(one.joint_positions[0], other.joint_positions[0])
    print("same joints at the start; ends of the tip:", *(film.gripper_pose[-1, :3].round(2) for film in films))


def lowest_tip(episodes):
    """2. By less than a millimetre: button and table always have the same height, only x and y are random."""
    lowest = [episode.gripper_pose[:, 2].min() for episode in episodes]
    print(
        f"lowest tip {np.mean(lowest):.3f} m, spread {1000 * np.ptp(lowest):.1f} mm over {len(lowest)} demonstrations"
    )


def five_centimetres(episode):
    """3. The picture shows a step along y at its full length, and one along x, toward the camera, at half of it
    (12 and 6 pixels in the mean)."""
    path = episode.gripper_pose[:, :3]  # [T,3]
    for axis, name in enumerate("xyz"):
        moved = episode.project(path + 0.05 * np.eye(3)[axis])
        pixels = np.linalg.norm(moved - episode.project(path), axis=1)
        print(f"5 cm along {name}: {pixels.mean():.1f} pixels")


if __name__ == "__main__":
    episodes = [read_episode(folder) for folder in list_episodes(paths.DEMOS)]
    another_seed("pick_up_cup")
    lowest_tip([episode for episode in episodes if episode.task == "push_button"])
    five_centimetres(episodes[0])
