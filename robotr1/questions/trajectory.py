"""Trajectories: what the questions need of an episode, a few kilobytes without images and pickles."""

from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from robotr1 import paths
from robotr1.demos.episode import Episode
from robotr1.keyframes import current_frames, next_keyframe
from robotr1.questions.checks import BuildError
from robotr1.questions.splits import EpisodeKey
from robotr1.questions.states import StateKind, states
from robotr1.records import Keyframes, Question
from robotr1.settings import BuildQuestions
from robotr1.special_tokens import refusal, special_token

RECORD_DECIMALS = 4  # of the states in the records: 0.1 mm, 0.1 mrad


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The path of one episode, its keyframes and the frames with an image."""

    key: EpisodeKey  # task, variation, episode
    instruction: str
    keyframes: list[int]  # rising
    states: np.ndarray  # [T,3] positions of the gripper's tip, metres, world frame; or extended states [T,7]
    frames: Collection[int]  # those that have an image
    images: Path | str  # folder of <frame>.png

    @property
    def name(self) -> str:
        task, variation, episode = self.key
        return f"{task}/variation{variation}/episode{episode}"


def trajectory_of(episode: Episode, line: Keyframes, kind: StateKind = "position") -> Trajectory:
    """The trajectory of an episode with its keyframes.

    Raises BuildError where the keyframes are not of this episode, or `kind` is extended and a pose has no rotation.
    """
    try:
        path = states(kind, episode.gripper_pose, episode.gripper_open)
    except ValueError as error:
        raise BuildError(f"{paths.relative(episode.folder)}: {error}; use state: position") from error
    if token := special_token(line.instruction):
        raise BuildError(f"{paths.relative(episode.folder)}: the instruction in keyframes.jsonl {refusal(token)}")
    trajectory = Trajectory(
        key=(episode.task, episode.variation, episode.episode),
        instruction=line.instruction,
        keyframes=line.keyframes,
        states=path,
        frames=frozenset(episode.frames),
        images=paths.relative(episode.folder / "front_rgb"),
    )
    wrong = [frame for frame in line.keyframes if not 0 <= frame < len(episode)]
    if wrong or line.length != len(episode):
        raise BuildError(
            f"{trajectory.name}: keyframes.jsonl has {line.length} frames and keyframes {line.keyframes}, the episode "
            f"has {len(episode)} frames; run design_metadata again"
        )
    if sorted(set(line.keyframes)) != line.keyframes:
        raise BuildError(f"{trajectory.name}: keyframes {line.keyframes} do not rise; run design_metadata again")
    return trajectory


def trajectories_of(
    episodes: Iterable[Episode], keyframes: Sequence[Keyframes], kind: StateKind = "position"
) -> list[Trajectory]:
    """Trajectories sorted by task, variation and episode. Raises BuildError unless both name the same episodes."""
    episode_of = {(episode.task, episode.variation, episode.episode): episode for episode in episodes}
    line_of = {(line.task, line.variation, line.episode): line for line in keyframes}
    _check_same_episodes(episode_of.keys(), line_of.keys())
    return [trajectory_of(episode_of[key], line_of[key], kind) for key in sorted(episode_of)]


def _check_same_episodes(recorded: Set[EpisodeKey], listed: Set[EpisodeKey]) -> None:
    for missing, why in (
        (recorded - listed, "has no line in keyframes.jsonl; run design_metadata again"),
        (listed - recorded, "is in keyframes.jsonl, but there is no such demo; run design_metadata again"),
    ):
        if missing:
            task, variation, episode = min(missing)
            raise BuildError(f"{task}/variation{variation}/episode{episode} {why}")


def drafts(
    trajectory: Trajectory, split: str, settings: BuildQuestions, frames: Sequence[int] | None = None
) -> Iterator[Question]:
    """Yield the questions of one episode without options, letter and prompt.

    Each of `frames`, by default every frame_interval-th one before the last keyframe, gives a question of each type.
    Raises BuildError where a current frame has no image.
    """
    task, variation, episode = trajectory.key
    if frames is None:
        frames = current_frames(len(trajectory.states), trajectory.keyframes, settings.frame_interval)
    for frame in frames:
        if frame not in trajectory.frames:
            raise BuildError(
                f"{trajectory.name}: frame {frame} has no front image; build_questions.frame_interval "
                f"({settings.frame_interval}) must be a multiple of extract_demos.frame_interval, and paired options "
                "need images of the keyframes"
            )
        keyframe = next_keyframe(trajectory.keyframes, frame)
        for type in settings.types:
            yield Question(
                id=f"{trajectory.name}/frame{frame}/{type}",
                split=split,
                type=type,
                task=task,
                variation=variation,
                episode=episode,
                frame=frame,
                keyframe=keyframe,
                image=f"{trajectory.images}/{frame}.png",
                instruction=trajectory.instruction,
                state=_state(trajectory, frame),
                target=_state(trajectory, keyframe),
                options=[],
                answer="A",
                prompt="",
            )


def _state(trajectory: Trajectory, frame: int) -> list[float]:
    return [round(float(value), RECORD_DECIMALS) + 0.0 for value in trajectory.states[frame]]
