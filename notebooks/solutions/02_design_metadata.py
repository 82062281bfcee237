"""Solutions to the exercises of 02_design_metadata: `python notebooks/solutions/02_design_metadata.py`."""

import numpy as np

from robotr1 import metadata, paths
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.keyframes import FRAMES_BETWEEN_STOPS, find_keyframes
from robotr1.questions.movement import describe_movement


def a_fast_rest(episode):
    """1. Slow travelling counts as rest, so a keyframe comes every few frames, and the next one is a step away."""
    keyframes = find_keyframes(episode.joint_velocities, episode.gripper_open, stopping_delta=1.0)
    print(f"{len(keyframes)} keyframes: {keyframes}")
    for here, there in zip(keyframes[:4], keyframes[1:5]):
        change = episode.gripper_pose[there, :3] - episode.gripper_pose[here, :3]
        print(f"frame {here} to {there}: {np.linalg.norm(change):.3f} m, {describe_movement(change, dead_zone=0.01)}")


def from_behind(view):
    """2. x points away from that camera and y to the left, so forward, backward, left and right would all be wrong."""
    words, _ = metadata.axis_words(np.diag([-1, -1, 1, 1]) @ np.array(view.extrinsics))
    for axis, (positive, negative) in zip("xyz", words):
        print(f"{axis}: positive {positive}, negative {negative}")


def end_of_a_demonstration(episodes):
    """3. The arm is slow before it stops: most demonstrations would get one more keyframe just before the last one."""
    early = 0
    for episode in episodes:
        slow = (np.abs(episode.joint_velocities) <= 0.1).all(axis=1)  # [T]
        keyframes = find_keyframes(episode.joint_velocities, episode.gripper_open)
        before = len(episode) - 1 - (keyframes[-2] if len(keyframes) > 1 else 0)
        early += bool(slow[-2]) and before > FRAMES_BETWEEN_STOPS
    print(f"{early} of {len(episodes)} demonstrations rest in the frame before their last")


if __name__ == "__main__":
    episodes = [read_episode(folder) for folder in list_episodes(paths.DEMOS)]
    a_fast_rest(episodes[0])
    from_behind(metadata.design_metadata(episodes[:1]))
    end_of_a_demonstration(episodes)
