"""Find keyframes: the few frames of a demonstration that define its motion (the paper's waypoints, §4.1).

The rule comes from the ARM repository (stepjam/ARM, arm/demo_loading_utils.py) and is also PerAct's. A frame is a
keyframe if the gripper has just opened or closed, if the arm pauses, or if the demonstration ends.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from robotr1.demos.episode import Episode, EpisodeError
from robotr1.records import Keyframes

FRAMES_BETWEEN_STOPS = 4


def find_keyframes(joint_velocities: np.ndarray, gripper_open: np.ndarray, stopping_delta: float = 0.1) -> list[int]:
    """Return the sorted frame numbers of the keyframes; the last frame is always one.

    `joint_velocities` [T,7] in rad/s, `gripper_open` [T]; a joint rests at up to `stopping_delta` rad/s. Frame 0 is
    never a keyframe, so a single frame has none. If the last two keyframes are neighbours, the earlier one is removed;
    other neighbours stay, as in ARM. Raises ValueError if the lengths differ.
    """
    velocities = np.asarray(joint_velocities, dtype=np.float64)
    gripper = np.asarray(gripper_open)
    length = len(gripper)
    if velocities.ndim != 2 or len(velocities) != length:
        raise ValueError(
            f"joint_velocities must be [T,7] and gripper_open [T] with the same T, got {velocities.shape} and "
            f"{gripper.shape}"
        )
    resting = (np.abs(velocities) <= stopping_delta).all(axis=1)  # [T]
    keyframes = []
    wait = 0  # frames until the next pause may count
    for frame in range(length):
        stopped = wait <= 0 and bool(resting[frame]) and _gripper_is_steady(gripper, frame)
        wait = FRAMES_BETWEEN_STOPS if stopped else wait - 1  # a pause at frame 0 starts the wait as well
        changed = gripper[frame] != gripper[frame - 1]
        if frame > 0 and (changed or stopped or frame == length - 1):
            keyframes.append(frame)
    if len(keyframes) > 1 and keyframes[-2] == keyframes[-1] - 1:
        del keyframes[-2]
    return keyframes


def keyframes_of(episodes: Iterable[Episode], stopping_delta: float = 0.1) -> list[Keyframes]:
    """Return one record per episode, in the order given.

    RLBench has several instructions per variation, and the paper does not say which it used. Here the episodes cycle
    through them by their number. Raises EpisodeError if two episodes have the same task, variation and number: later
    stages identify episodes by these.
    """
    episodes = list(episodes)
    folders: dict[tuple, Path] = {}
    for episode in episodes:
        other = folders.setdefault((episode.task, episode.variation, episode.episode), episode.folder)
        if other != episode.folder:
            raise EpisodeError(
                f"{episode.folder}: has the task, variation and number of {other}. Fix: remove one of them, or rename "
                "it to a free number."
            )
    return [
        Keyframes(
            task=episode.task,
            variation=episode.variation,
            episode=episode.episode,
            instruction=episode.instructions[episode.episode % len(episode.instructions)],
            length=len(episode),
            keyframes=find_keyframes(episode.joint_velocities, episode.gripper_open, stopping_delta),
        )
        for episode in episodes
    ]


def _gripper_is_steady(gripper: np.ndarray, frame: int) -> bool:
    """Return whether the gripper keeps its state over frames i-2 .. i+1; False in an episode's last two frames.

    At the first two frames, i-1 and i-2 are negative indices from the end, as in ARM.
    """
    if frame >= len(gripper) - 2:
        return False
    return bool(gripper[frame] == gripper[frame + 1] == gripper[frame - 1] and gripper[frame - 2] == gripper[frame - 1])


def next_keyframe(keyframes: Sequence[int], frame: int) -> int | None:
    """Return the first keyframe after `frame` (k* = min{k in K : k > t}, §3.2), or None after the last."""
    return min((keyframe for keyframe in keyframes if keyframe > frame), default=None)


def current_frames(length: int, keyframes: Sequence[int], interval: int = 10) -> list[int]:
    """List the frames of questions: every `interval`-th frame that is followed by a keyframe (§4.1, ARM)."""
    if interval < 1:
        raise ValueError(f"interval must be at least 1 frame, got {interval}")
    return [frame for frame in range(0, length - 1, interval) if next_keyframe(keyframes, frame) is not None]
