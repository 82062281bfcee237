"""Solutions to the exercises of 02_design_metadata: `python notebooks/solutions/02_design_metadata.py`."""

from unittest import mock

import numpy as np

from robotr1 import keyframes, metadata, paths
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.keyframes import find_keyframes
from robotr1.questions.movement import describe_movement


def a_fast_rest(episode):
    """1. Slow travelling counts as rest, so a keyframe comes every few frames, and the next one is a step away."""
    found = find_keyframes(episode.joint_velocities, episode.gripper_open, stopping_delta=1.0)
    print(f"{len(found)} keyframes: {found}")
    for here, there in zip(found[:4], found[1:5]):
        change = episode.gripper_pose[there, :3] - episode.gripper_pose[here, :3]
        print(f"frame {here} to {there}: {np.linalg.norm(change):.3f} m, {describe_movement(change, dead_zone=0.01)}")


def from_behind(view):
    """2. x points away from that camera and y to the left, so forward, backward, left and right would all be wrong."""
    words, _ = metadata.axis_words(np.diag([-1, -1, 1, 1]) @ np.array(view.extrinsics))
    for axis, (positive, negative) in zip("xyz", words):
        print(f"{axis}: positive {positive}, negative {negative}")


def end_of_a_demonstration(episodes):
    """3. Less than one fears: a pause in the last frame but one would count, but of two neighbours at the end the
    earlier goes. Without that second rule every such demonstration would end with two keyframes at one place."""
    steady, longer = keyframes._gripper_is_steady, 0

    def steady_to_the_end(gripper, frame):
        return len(set(gripper[-4:])) == 1 if frame >= len(gripper) - 2 else steady(gripper, frame)

    for episode in episodes:
        ruled = find_keyframes(episode.joint_velocities, episode.gripper_open)
        with mock.patch.object(keyframes, "_gripper_is_steady", steady_to_the_end):
            longer += find_keyframes(episode.joint_velocities, episode.gripper_open) != ruled
    resting = sum((np.abs(episode.joint_velocities[-2]) <= 0.1).all() for episode in episodes)
    print(f"{resting} of {len(episodes)} demonstrations rest in the last frame but one; {longer} get other keyframes")


if __name__ == "__main__":
    episodes = [read_episode(folder) for folder in list_episodes(paths.DEMOS)]
    a_fast_rest(episodes[0])
    from_behind(metadata.design_metadata(episodes[:1]))
    end_of_a_demonstration(episodes)
