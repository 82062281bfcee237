"""Check that a recorded episode can be used: images are present and readable, frames are in order."""

import numpy as np

from robotr1.demos.episode import Episode, EpisodeError
from robotr1.demos.layout import LOW_DIM

FRAME_SECONDS = 0.05  # RLBench records 20 frames a second
JUMP = 0.1  # rad per frame that the recorded velocities do not explain; real recordings stay below 0.04
OUT_OF_PLACE = 0.5  # grey levels; in real recordings no image differs more from both neighbours than they differ


def check_recording(episode: Episode, frame_interval: int) -> None:
    """Read every front image of `episode`; raise EpisodeError that names the file where something is wrong.

    The checks: the gripper is open or closed; all frames have images, or at least every `frame_interval`-th one;
    all images have one size; the arm's motion agrees with the recorded velocities; and, where every frame has an
    image, images resemble their neighbours. The last two find missing and misplaced frames, except where a frame is
    only a few places off or the arm hardly moves.
    """
    _check_gripper(episode)
    _check_motion(episode)
    _check_frames(episode, frame_interval)
    sizes, film = set(), []
    for frame in episode.frames:
        image = episode.image(frame)
        sizes.add(image.shape)
        film.append(image[::2, ::2].mean(axis=2, dtype=np.float32))
    if len(sizes) > 1:
        raise EpisodeError(f"{episode.folder / 'front_rgb'}: images differ in size. Fix: record the episode again.")
    if len(film) == len(episode):
        _check_film(episode, np.array(film))


def _check_frames(episode: Episode, frame_interval: int) -> None:
    folder, length = episode.folder / "front_rgb", len(episode)
    if not episode.frames:
        raise EpisodeError(f"{folder}: no images. Fix: record with the front camera's RGB on.")
    whole_film = 1 in episode.frames
    needed = range(length) if whole_film else range(0, length - 1, frame_interval)
    if missing := sorted(set(needed) - set(episode.frames)):
        shown = ", ".join(f"{frame}.png" for frame in missing[:5])
        raise EpisodeError(
            f"{folder}: {len(missing)} of {length} images missing, such as {shown}. Fix: copy the whole episode again."
        )


def _check_gripper(episode: Episode) -> None:
    if odd := sorted(set(episode.gripper_open) - {0.0, 1.0}):
        raise EpisodeError(
            f"{episode.folder / LOW_DIM}: gripper_open must be 1.0 (open) or 0.0, found {odd[0]}. Fix: record the "
            "episode again with RLBench, which writes these two."
        )


def _check_motion(episode: Episode) -> None:
    moved = np.diff(episode.joint_positions, axis=0)
    expected = FRAME_SECONDS * (episode.joint_velocities[1:] + episode.joint_velocities[:-1]) / 2
    jumps = np.flatnonzero(np.abs(moved - expected).max(axis=1, initial=0) > JUMP)
    if len(jumps):
        raise EpisodeError(
            f"{episode.folder / LOW_DIM}: between frames {jumps[0]} and {jumps[0] + 1} the arm moves by "
            f"{np.abs(moved[jumps[0]]).max():.2f} rad, which its recorded velocities do not explain: frames are "
            "missing or out of order. Fix: copy or record the episode again."
        )


def _check_film(episode: Episode, film: np.ndarray) -> None:
    """Find a misplaced image in `film` [T,H,W]: it differs from both neighbours, and they are alike."""
    steps = np.abs(np.diff(film, axis=0)).mean(axis=(1, 2))  # [T-1]
    across = np.abs(film[2:] - film[:-2]).mean(axis=(1, 2))  # [T-2]
    misplaced = np.flatnonzero(np.minimum(steps[:-1], steps[1:]) - across > OUT_OF_PLACE) + 1
    if len(misplaced):
        raise EpisodeError(
            f"{episode.folder / 'front_rgb' / f'{misplaced[0]}.png'}: does not fit between its neighbours: images are "
            "out of order. Fix: copy or record the episode again."
        )
