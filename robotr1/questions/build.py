"""Build multiple-choice questions from demonstrations (Robot-R1, sections 3.2 and 4.1).

`build_questions` makes a whole set in memory. `stream_questions` yields one question after the other, so that a million
of them need no more memory than a few.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from robotr1.demos.episode import Episode
from robotr1.metadata import Metadata
from robotr1.questions.answers import parse_position
from robotr1.questions.checks import BuildError, check_images, check_questions
from robotr1.questions.distractors.answer_pool import AnswerPool
from robotr1.questions.distractors.strategies import DistractorError, Draw, check_strategy
from robotr1.questions.movement import parse_movement
from robotr1.questions.paired import paired_sets
from robotr1.questions.prompts import LETTERS, prompt_of
from robotr1.questions.question_types import QUESTION_TYPES
from robotr1.questions.randomness import generator
from robotr1.questions.splits import SPLITS, EpisodeKey, assign_splits
from robotr1.questions.trajectory import Trajectory, drafts, trajectories_of
from robotr1.records import Keyframes, Question
from robotr1.settings import BuildQuestions

MOST_SKIPPED = 0.2  # share of a type's questions; if more find no distractors, the settings are wrong


def build_questions(
    episodes: Iterable[Episode],
    keyframes: Sequence[Keyframes],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
    skipped: Counter[str] | None = None,
) -> dict[str, list[Question]]:
    """Build and check the questions of all splits, each sorted by task, variation, episode, frame and type.

    The answer is the tip position now (state), at the next keyframe (waypoint), or the movement between them.
    `metadata`, by task, goes into the prompts. `skipped` counts what was left out, by reason.

    Raises:
        BuildError: episodes and keyframes do not fit, a split gets too few episodes, or a check fails.
        DistractorError: more than MOST_SKIPPED of a type find no distractors; the message names the first.
    """
    trajectories = trajectories_of(episodes, keyframes, settings.state)
    questions = list(stream_questions(trajectories, settings, metadata, skipped))
    built = {split: [question for question in questions if question.split == split] for split in SPLITS}
    check_questions(built, settings)
    check_images(questions)
    return built


def stream_questions(
    trajectories: Iterable[Trajectory],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
    skipped: Counter[str] | None = None,
) -> Iterator[Question]:
    """Yield the questions of `trajectories` in their order, unchecked. It iterates over `trajectories` three times.

    Raises BuildError and DistractorError as `build_questions` does; that for too many skipped questions comes last.
    """
    skipped = Counter() if skipped is None else skipped
    check_strategy(settings)
    if settings.distractors == "paired":
        yield from _paired(trajectories, settings, metadata or {}, skipped)
        return
    survey = _survey(trajectories, settings)
    letters = _Letters(settings)
    failed: dict[str, list[str]] = {}
    for trajectory in trajectories:
        if not trajectory.keyframes:
            skipped["episodes without keyframes"] += 1
        asked = list(drafts(trajectory, survey.split_of[trajectory.key], settings))
        for draft in asked:
            draw = _draw(draft, trajectory, asked, survey, settings)
            try:
                distractors = QUESTION_TYPES[draft.type].distractors(draw)
            except DistractorError as error:
                failed.setdefault(draft.type, []).append(f"{draft.id}: {error}")
                skipped[f"{draft.type} questions without enough distractors"] += 1
                continue
            yield _finish(draft, draw.truth, distractors, letters, settings, (metadata or {}).get(draft.task))
    for type, messages in failed.items():
        if len(messages) > MOST_SKIPPED * survey.asked[type]:
            raise DistractorError(f"{len(messages)} of {survey.asked[type]} {type} questions fail; {messages[0]}")


def _paired(
    trajectories: Iterable[Trajectory],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata],
    skipped: Counter[str],
) -> Iterator[Question]:
    """Yield the questions of paired sets: the four questions of a set follow each other, each with its own letters."""
    trajectories = list(trajectories)
    split_of = assign_splits((trajectory.key for trajectory in trajectories), settings)
    if without := sum(not trajectory.keyframes for trajectory in trajectories):
        skipped["episodes without keyframes"] = without
    letters = _Letters(settings)
    for members in paired_sets(trajectories, split_of, settings, skipped):
        for draft, truth in members:
            rng = generator(settings.seed, draft.id)
            others = [str(answer) for answer in rng.permutation([answer for _, answer in members if answer != truth])]
            yield _finish(draft, truth, others, letters, settings, metadata.get(draft.task))


@dataclass(frozen=True)
class _Survey:
    """What the first question needs to know about all episodes."""

    split_of: dict[EpisodeKey, str]
    pools: dict[tuple[str, str, str], AnswerPool]  # by task, type and split
    asked: Counter[str]  # questions by type


def _survey(trajectories: Iterable[Trajectory], settings: BuildQuestions) -> _Survey:
    split_of = assign_splits((trajectory.key for trajectory in trajectories), settings)
    pools: dict[tuple[str, str, str], AnswerPool] = {}
    asked: Counter[str] = Counter()
    for trajectory in trajectories:
        for draft in drafts(trajectory, split_of[trajectory.key], settings):
            asked[draft.type] += 1
            name = draft.task, draft.type, draft.split
            if name not in pools:
                pools[name] = AnswerPool(generator(settings.seed, "/".join(name)))
            pools[name].add(trajectory.key, QUESTION_TYPES[draft.type].truth(draft, settings))
    if not asked:
        raise BuildError("no demonstration has a keyframe to ask about; check design_metadata.stopping_delta")
    return _Survey(split_of, pools, asked)


def _draw(
    draft: Question, trajectory: Trajectory, asked: Sequence[Question], survey: _Survey, settings: BuildQuestions
) -> Draw:
    """What the distractors of `draft` may be sampled from.

    Answers of other episodes come from the same split first, and from the others only when those are used up.
    """
    truth = QUESTION_TYPES[draft.type].truth
    rng = generator(settings.seed, draft.id)
    splits = [draft.split, *(split for split in SPLITS if split != draft.split)]
    names = [(draft.task, draft.type, split) for split in splits]
    pools = [survey.pools[name] for name in names if name in survey.pools]
    return Draw(
        question=draft,
        truth=truth(draft, settings),
        settings=settings,
        rng=rng,
        states=trajectory.states,
        other_answers=lambda: chain.from_iterable(pool.without(trajectory.key, rng) for pool in pools),
        other_counts=lambda: pools[0].counts_without(trajectory.key),
        episode_counts=lambda: Counter(truth(other, settings) for other in asked if other.type == draft.type),
    )


def _finish(
    draft: Question,
    truth: str,
    distractors: list[str],
    letters: "_Letters",
    settings: BuildQuestions,
    scene: Metadata | None,
) -> Question:
    """Order the options and write the prompt."""
    if settings.option_order == "canonical":
        options = sorted([truth, *distractors], key=_sort_key)
    else:
        options = list(distractors)
        options.insert(letters.next(draft), truth)
    question = replace(draft, options=options, answer=LETTERS[options.index(truth)])
    return replace(question, prompt=prompt_of(question, settings, scene))


class _Letters:
    """Letters in equal numbers per split and type: each round of `options` questions uses every letter once."""

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
