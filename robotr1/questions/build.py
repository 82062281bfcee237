"""From demonstrations to multiple-choice questions (Robot-R1, sections 3.2 and 4.1).

`build_questions` makes a whole set in memory; `stream_questions` yields one question after the other, so that a
million of them need no more room than a few.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from robotr1.demos.episode import Episode
from robotr1.metadata import Metadata
from robotr1.questions.answer_pool import Pool
from robotr1.questions.answers import parse_position
from robotr1.questions.checks import BuildError, check_images, check_questions
from robotr1.questions.distractors.positions import DistractorError
from robotr1.questions.movement import parse_movement
from robotr1.questions.prompts import LETTERS, mcqa_prompt
from robotr1.questions.question_types import KINDS, Case, same_answers
from robotr1.questions.splits import SPLITS, EpisodeKey, assign_splits
from robotr1.questions.trajectory import Track, drafts, tracks_of
from robotr1.records import Keyframes, Question
from robotr1.settings import BuildQuestions

MOST_SKIPPED = 0.2  # of a type's questions; where more find no options, the settings are wrong and not the luck


def build_questions(
    episodes: Iterable[Episode],
    keyframes: Sequence[Keyframes],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
    skipped: Counter[str] | None = None,
) -> dict[str, list[Question]]:
    """Build the questions of all splits, checked, each split sorted by task, variation, episode, frame and type.

    The answer is the tip position now (state), at the next keyframe (waypoint), or the movement between them.
    `metadata`, by task, go into the prompts. `skipped` is filled with what was left out: how often, by reason.

    Raises:
        BuildError: episodes and keyframes do not fit, too few episodes for the splits, a check that fails.
        DistractorError: more than MOST_SKIPPED of a type find no wrong options; the message names the first.
    """
    questions = list(stream_questions(tracks_of(episodes, keyframes, settings.state), settings, metadata, skipped))
    built = {split: [question for question in questions if question.split == split] for split in SPLITS}
    check_questions(built, settings)
    check_images(questions)
    return built


def stream_questions(
    tracks: Iterable[Track],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
    skipped: Counter[str] | None = None,
) -> Iterator[Question]:
    """Yield the questions of `tracks` in their order, unchecked. `tracks` is gone through three times.

    Raises BuildError and DistractorError as `build_questions` does, the latter at the end.
    """
    skipped = Counter() if skipped is None else skipped
    survey = _survey(tracks, settings)
    letters = _Letters(settings)
    failed: dict[str, list[str]] = {}
    for track in tracks:
        if not track.keyframes:
            skipped["episodes without keyframes"] += 1
        asked = list(drafts(track, survey.split_of[track.key], settings))
        for draft in asked:
            truth = KINDS[draft.type].truth(draft, settings)
            try:
                wrong = _wrong_options(draft, truth, track, asked, survey, settings)
            except DistractorError as error:
                failed.setdefault(draft.type, []).append(f"{draft.id}: {error}")
                skipped[f"{draft.type} questions without enough wrong options"] += 1
                continue
            yield _finished(draft, truth, wrong, letters, settings, (metadata or {}).get(draft.task))
    for type, messages in failed.items():
        if len(messages) > MOST_SKIPPED * survey.asked[type]:
            raise DistractorError(f"{len(messages)} of {survey.asked[type]} {type} questions fail; {messages[0]}")


@dataclass(frozen=True)
class _Survey:
    """What has to be known of all episodes before the first question can be finished."""

    split_of: dict[EpisodeKey, str]
    pools: dict[tuple[str, str, str], Pool]  # by task, type and split
    asked: Counter[str]  # questions by type


def _survey(tracks: Iterable[Track], settings: BuildQuestions) -> _Survey:
    split_of = assign_splits((track.key for track in tracks), settings)
    pools: dict[tuple[str, str, str], Pool] = {}
    asked: Counter[str] = Counter()
    for track in tracks:
        for draft in drafts(track, split_of[track.key], settings):
            asked[draft.type] += 1
            name = draft.task, draft.type, draft.split
            if name not in pools:
                pools[name] = Pool(generator(settings.seed, "/".join(name)))
            pools[name].add(track.key, KINDS[draft.type].truth(draft, settings))
    if not asked:
        raise BuildError("no demonstration has a keyframe to ask about; check design_metadata.stopping_delta")
    return _Survey(split_of, pools, asked)


def _wrong_options(
    draft: Question, truth: str, track: Track, asked: Sequence[Question], survey: _Survey, settings: BuildQuestions
) -> list[str]:
    """Answers of other episodes come from the same split first, and from the others only when those are used up."""
    rng = generator(settings.seed, draft.id)
    splits = [draft.split, *(split for split in SPLITS if split != draft.split)]
    names = [(draft.task, draft.type, split) for split in splits]
    pools = [survey.pools[name] for name in names if name in survey.pools]

    def common() -> Mapping[str, int]:
        if settings.distractors == "same_episode":
            return same_answers((other for other in asked if other.type == draft.type), settings)
        return pools[0].counts_without(track.key)

    case = Case(
        question=draft,
        truth=truth,
        settings=settings,
        rng=rng,
        states=track.states,
        elsewhere=lambda: chain.from_iterable(pool.without(track.key, rng) for pool in pools),
        common=common,
    )
    return KINDS[draft.type].wrong(case)


def _finished(
    draft: Question, truth: str, wrong: list[str], letters: "_Letters", settings: BuildQuestions, scene: Metadata | None
) -> Question:
    """Order the options and write the prompt."""
    if settings.option_order == "canonical":
        options = sorted([truth, *wrong], key=_sort_key)
    else:
        options = list(wrong)
        options.insert(letters.next(draft), truth)
    states = {"waypoint": settings.show_state, "movement": settings.show_state_in_movement}
    prompt = mcqa_prompt(
        draft.type,
        draft.instruction,
        draft.state if states.get(draft.type, False) else None,
        options,
        form=settings.prompt,
        decimals=settings.decimals,
        metadata=scene,
        kind=settings.state,
    )
    return replace(draft, options=options, answer=LETTERS[options.index(truth)], prompt=prompt)


class _Letters:
    """Letters in equal numbers per split and type: of as many questions as there are options, one for each letter."""

    def __init__(self, settings: BuildQuestions):
        self.settings = settings
        self.given: Counter[tuple[str, str]] = Counter()
        self.round: dict[tuple[str, str], list[int]] = {}

    def next(self, draft: Question) -> int:
        """The place of the truth among the options of the next question of this split and type."""
        name = draft.split, draft.type
        number, place = divmod(self.given[name], self.settings.options)
        if place == 0:
            rng = generator(self.settings.seed, f"letters/{draft.split}/{draft.type}/{number}")
            self.round[name] = rng.permutation(self.settings.options).tolist()
        self.given[name] += 1
        return self.round[name][place]


def _sort_key(option: str) -> tuple:
    """Movements by their levels, positions by x, y, z, everything else as text."""
    levels = parse_movement(option)
    return (levels is None, *(levels or parse_position(option) or [option]))


def generator(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for every named thing, so that results do not depend on the order of work."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
