"""Paired options: sets of four questions that share four options, each of which is right exactly once.

Take two episodes A and B of one task and split, and two moments of each. The four true answers are the four options,
and all four images get a question with these options. A policy that does not see the image is right in one of four,
whatever it knows. The idea is that of NaturalBench (arXiv 2410.14669): one question about two scenes with different
answers.

In a waypoint set, the two moments of an episode come before different steps, and the steps are the same in A and B: to
be right, a policy needs the scene and the step that is due. `paired_neighbours` is the share of sets about neighbouring
steps, such as "above it" and "at it". A policy that knows the scene and not the step has two options left; in every
waypoint set the one nearer to the gripper is right twice, so neither the nearer nor the farther one is a shortcut.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, dist

import numpy as np

from robotr1.keyframes import current_frames
from robotr1.questions.answers import parse_position
from robotr1.questions.distractors.positions import TOLERANCE
from robotr1.questions.distractors.strategies import DistractorError
from robotr1.questions.question_types import QUESTION_TYPES
from robotr1.questions.randomness import generator
from robotr1.questions.splits import EpisodeKey
from robotr1.questions.trajectory import Trajectory, drafts
from robotr1.records import Question
from robotr1.settings import BuildQuestions

SIZE = 4  # questions and options of a set
TRIES = 2000  # draws for one set before a task counts as exhausted


@dataclass
class Moment:
    """A draft with its answer, the step that is due, and how often it is used."""

    draft: Question
    answer: str
    step: int  # index of the next keyframe among those of the episode
    uses: int = 0


def paired_sets(
    trajectories: Iterable[Trajectory],
    split_of: Mapping[EpisodeKey, str],
    settings: BuildQuestions,
    skipped: Counter[str],
) -> Iterator[list[tuple[Question, str]]]:
    """Yield sets of four (draft, answer), for every task, split and type; drafts have their set and a unique id.

    A training type gets `paired_questions` questions, spread evenly over the tasks; another split gets about as many
    as it has moments. `skipped` counts sets that were not found.

    Raises:
        DistractorError: a split of a task has one episode, or no set can be found in it.
    """
    groups: dict[tuple[str, str], list[Trajectory]] = defaultdict(list)
    for trajectory in trajectories:
        if trajectory.keyframes:
            groups[trajectory.key[0], split_of[trajectory.key]].append(trajectory)
    trained = sum(split == "train" for _, split in groups)
    for (task, split), members in groups.items():
        if len(members) < 2:
            raise DistractorError(
                f"{task}, {split}: paired options need two episodes, got {len(members)}; collect more demonstrations"
            )
        episodes = [_moments(trajectory, split, settings) for trajectory in members]
        for type in settings.types:
            moments = [[moment for moment in episode if moment.draft.type == type] for episode in episodes]
            questions = settings.paired_questions / trained if split == "train" else sum(map(len, moments))
            yield from _sets_of(moments, f"{task}/{split}/{type}", ceil(questions / SIZE), settings, skipped)


def _moments(trajectory: Trajectory, split: str, settings: BuildQuestions) -> list[Moment]:
    """Every frame_interval-th frame and every keyframe but the last."""
    frames = {*current_frames(len(trajectory.states), trajectory.keyframes, settings.frame_interval)}
    frames |= {*trajectory.keyframes[:-1]}
    return [
        Moment(draft, QUESTION_TYPES[draft.type].truth(draft, settings), trajectory.keyframes.index(draft.keyframe))
        for draft in drafts(trajectory, split, settings, sorted(frames))
    ]


def _sets_of(
    episodes: Sequence[Sequence[Moment]], name: str, count: int, settings: BuildQuestions, skipped: Counter[str]
) -> Iterator[list[tuple[Question, str]]]:
    rng = generator(settings.seed, f"paired/{name}")
    type = name.rpartition("/")[2]
    neighbours = ceil(settings.paired_neighbours * count) if type == "waypoint" else 0
    wanted = rng.permutation([True] * neighbours + [False] * (count - neighbours))
    for number, neighbouring in enumerate(wanted):
        for _ in range(TRIES):
            chosen = _draw(episodes, type, bool(neighbouring), rng)
            if (
                chosen
                and _are_apart([moment.answer for moment in chosen], type, settings)
                and _is_balanced(chosen, type)
            ):
                break
        else:
            if not number:
                raise DistractorError(
                    f"{name}: no two moments of two episodes have four answers that are {settings.minimum_gap} m "
                    "apart; lower `minimum_gap`, or collect more demonstrations"
                )
            skipped[f"{type} sets without four different answers"] += count - number
            return
        for moment in chosen:
            moment.uses += 1
        yield [
            (replace(moment.draft, id=f"{moment.draft.id}-{number}", set=f"{name}/{number}"), moment.answer)
            for moment in chosen
        ]


def _draw(
    episodes: Sequence[Sequence[Moment]], type: str, neighbouring: bool, rng: np.random.Generator
) -> list[Moment] | None:
    """Two moments of each of two random episodes, seldom used ones preferred; None where a step has no moments."""
    pair = [episodes[i] for i in rng.choice(len(episodes), 2, replace=False)]
    if type != "waypoint":
        return [moment for episode in pair if len(episode) > 1 for moment in _sample(episode, 2, rng)]
    last = min(max(moment.step for moment in episode) for episode in pair)
    if last < 1:
        return None
    first = int(rng.integers(last))
    steps = [first, first + 1] if neighbouring else rng.choice(last + 1, 2, replace=False).tolist()
    found = [[moment for moment in episode if moment.step == step] for episode in pair for step in steps]
    return [_sample(moments, 1, rng)[0] for moments in found] if all(found) else None


def _sample(moments: Sequence[Moment], count: int, rng: np.random.Generator) -> list[Moment]:
    """Different moments; every use halves the probability of a moment."""
    uses = np.array([moment.uses for moment in moments])
    weights = 0.5 ** (uses - uses.min())
    return [moments[i] for i in rng.choice(len(moments), count, replace=False, p=weights / weights.sum())]


def _are_apart(answers: Sequence[str], type: str, settings: BuildQuestions) -> bool:
    """Whether four answers can be the options of one question: all different, positions `minimum_gap` metres apart."""
    if len(set(answers)) < SIZE:
        return False
    if type not in ("waypoint", "state"):
        return True
    positions = [parse_position(answer) for answer in answers]
    gap = settings.minimum_gap - TOLERANCE
    return all(dist(a, b) >= gap for i, a in enumerate(positions) for b in positions[:i])


def _is_balanced(chosen: Sequence[Moment], type: str) -> bool:
    """Whether the nearer of the episode's own two options is right in exactly half of a waypoint set; else True."""
    if type != "waypoint":
        return True
    positions = [parse_position(moment.answer) for moment in chosen]  # of A, A, B, B
    right = 0
    for i, moment in enumerate(chosen):
        state = moment.draft.state[:3]
        right += dist(positions[i], state) < dist(positions[i ^ 1], state)
    return right == SIZE // 2
