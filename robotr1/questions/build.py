"""From demonstrations to multiple-choice questions (Robot-R1, sections 3.2 and 4.1)."""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

import numpy as np

from robotr1 import paths
from robotr1.demos.episode import Episode
from robotr1.keyframes import current_frames, next_keyframe
from robotr1.metadata import Metadata
from robotr1.questions.answers import parse_state
from robotr1.questions.checks import BuildError, check_images, check_questions, true_option
from robotr1.questions.distractors import DistractorError, draw_distractors
from robotr1.questions.movement import neighbouring_movements, parse_movement
from robotr1.questions.prompts import LETTERS, format_state, mcqa_prompt
from robotr1.questions.splits import SPLITS, EpisodeKey, assign_splits
from robotr1.records import Keyframes, Question
from robotr1.settings import BuildQuestions

RECORD_DECIMALS = 4  # of the positions in the records: 0.1 mm


def build_questions(
    episodes: Iterable[Episode],
    keyframes: Sequence[Keyframes],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
) -> dict[str, list[Question]]:
    """Build the questions of all splits, checked, each split sorted by task, variation, episode, frame and type.

    Every frame_interval-th frame that a keyframe follows is a current frame and gives one question of each type. The
    answer is the tip position now (state), at the next keyframe (waypoint), or the movement between them.
    `metadata`, by task, go into full prompts.

    Raises:
        BuildError: an episode without keyframes or images, too few episodes for the splits, a check that fails.
        DistractorError: the minimum gap cannot be met; the message names the question.
    """
    episode_of = {(episode.task, episode.variation, episode.episode): episode for episode in episodes}
    keyframes_of = {(line.task, line.variation, line.episode): line for line in keyframes}
    _check_same_episodes(episode_of.keys(), keyframes_of.keys())
    split_of = assign_splits(episode_of, settings)
    drafts: list[Question] = []
    for key in sorted(episode_of):
        drafts += _draft_questions(episode_of[key], keyframes_of[key], split_of[key], settings)
    pools = Pools(drafts, {key: episode.gripper_pose[:, :3] for key, episode in episode_of.items()}, settings)
    splits = {split: [draft for draft in drafts if draft.split == split] for split in SPLITS}
    built = {split: _with_options(questions, pools, settings, metadata or {}) for split, questions in splits.items()}
    check_questions(built, settings)
    check_images([question for questions in built.values() for question in questions])
    return built


def _check_same_episodes(recorded: Set[EpisodeKey], listed: Set[EpisodeKey]) -> None:
    for missing, why in (
        (recorded - listed, "has no line in keyframes.jsonl; run design_metadata again"),
        (listed - recorded, "is in keyframes.jsonl, but there is no such demo; run design_metadata again"),
    ):
        if missing:
            task, variation, episode = min(missing)
            raise BuildError(f"{task}/variation{variation}/episode{episode} {why}")


def _draft_questions(episode: Episode, line: Keyframes, split: str, settings: BuildQuestions) -> list[Question]:
    """Questions of one episode that still lack options, letter and prompt."""
    drafts = []
    for frame in current_frames(len(episode), line.keyframes, settings.frame_interval):
        keyframe = next_keyframe(line.keyframes, frame)
        if frame not in episode.frames:
            raise BuildError(
                f"{paths.relative(episode.folder)}: frame {frame} has no front image; build_questions.frame_interval "
                f"({settings.frame_interval}) must be a multiple of extract_demos.frame_interval"
            )
        place = f"{episode.task}/variation{episode.variation}/episode{episode.episode}/frame{frame}"
        for type in settings.types:
            drafts.append(
                Question(
                    id=f"{place}/{type}",
                    split=split,
                    type=type,
                    task=episode.task,
                    variation=episode.variation,
                    episode=episode.episode,
                    frame=frame,
                    keyframe=keyframe,
                    image=paths.relative(episode.folder / "front_rgb" / f"{frame}.png"),
                    instruction=line.instruction,
                    state=_position(episode, frame),
                    target=_position(episode, keyframe),
                    options=[],
                    answer="A",
                    prompt="",
                )
            )
    return drafts


def _position(episode: Episode, frame: int) -> list[float]:
    return [round(float(value), RECORD_DECIMALS) + 0.0 for value in episode.gripper_pose[frame, :3]]


class Pools:
    """Candidates for distractors: what the questions of a task have for answers, and where its grippers go."""

    def __init__(self, drafts: Sequence[Question], positions: dict[EpisodeKey, np.ndarray], settings: BuildQuestions):
        self.positions = positions
        self.answers = defaultdict(list)  # (task, type) -> [(split, episode, position or movement label)]
        for draft in drafts:
            answer = true_option(draft, settings) if draft.type == "movement" else _true_position(draft)
            self.answers[draft.task, draft.type].append((draft.split, _key(draft), answer))

    def answers_elsewhere(self, draft: Question) -> tuple[list, list]:
        """Answers to the same type of question in other episodes of the task: (of the same split, of the others)."""
        same_split, other_splits = [], []
        for split, key, answer in self.answers[draft.task, draft.type]:
            if key != _key(draft):
                (same_split if split == draft.split else other_splits).append(answer)
        return same_split, other_splits


def _true_position(question: Question) -> list[float]:
    return question.target if question.type == "waypoint" else question.state


def _key(question: Question) -> EpisodeKey:
    return question.task, question.variation, question.episode


def _with_options(
    drafts: Sequence[Question], pools: Pools, settings: BuildQuestions, metadata: Mapping[str, Metadata]
) -> list[Question]:
    """Draw the distractors of one split, order the options, write the prompts."""
    letters = _balanced_letters(drafts, settings)
    questions = []
    for draft in drafts:
        rng = generator(settings.seed, draft.id)
        truth = true_option(draft, settings)
        options = _draw_options(draft, truth, pools, settings, rng)
        if settings.option_order == "canonical":
            options = sorted([truth, *options], key=_sort_key)
        else:
            options.insert(LETTERS.index(letters[draft.id]), truth)
        prompt = mcqa_prompt(
            draft.type,
            draft.instruction,
            draft.state if settings.show_state else None,
            options,
            form=settings.prompt,
            decimals=settings.decimals,
            metadata=metadata.get(draft.task),
        )
        answer = LETTERS[options.index(truth)]
        questions.append(replace(draft, options=options, answer=answer, prompt=prompt))
    return questions


def _draw_options(draft: Question, truth: str, pools: Pools, settings: BuildQuestions, rng) -> list[str]:
    count, strategy = settings.options - 1, settings.distractors
    pool, fallback = pools.answers_elsewhere(draft)
    if draft.type == "movement":
        return neighbouring_movements(truth, count, rng, pool if strategy == "other_episodes" else ())
    if strategy == "same_episode":
        pool, fallback = pools.positions[_key(draft)], pool
    try:
        positions = draw_distractors(
            strategy, _true_position(draft), count, settings.minimum_gap, rng, pool, fallback, settings.decimals
        )
    except DistractorError as error:
        raise DistractorError(f"{draft.id}: {error}") from None
    return [format_state(position, settings.decimals) for position in positions]


def _balanced_letters(drafts: Sequence[Question], settings: BuildQuestions) -> dict[str, str]:
    """Letters in equal numbers per type, in random order: {question id: letter}."""
    letters = {}
    for type in settings.types:
        ids = [draft.id for draft in drafts if draft.type == type]
        if ids:
            order = generator(settings.seed, f"letters/{drafts[0].split}/{type}").permutation(len(ids))
            letters |= {id: LETTERS[place % settings.options] for id, place in zip(ids, order, strict=True)}
    return letters


def _sort_key(option: str) -> Sequence[float]:
    return parse_movement(option) or parse_state(option)


def generator(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for every named thing, so that results do not depend on the order of work."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
