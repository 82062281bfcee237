"""Types of questions: what is true, and where the wrong options come from.

`KINDS` holds one `Kind` per type. To add a type, write a function that turns a question's state and target into the
text of the right option, and register it with the words of the question; wrong options are then the answers to the
same question in other episodes, unless another function draws them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle

import numpy as np

from robotr1.questions import prompts
from robotr1.questions.answers import parse_state
from robotr1.questions.distractors.movements import draw_movements
from robotr1.questions.distractors.positions import DistractorError, Draw, Point, draw_distractors
from robotr1.questions.movement import describe_motion, join_hand, split_hand
from robotr1.questions.prompts import format_state
from robotr1.questions.states import is_extended
from robotr1.records import Question
from robotr1.settings import BuildQuestions


@dataclass(frozen=True)
class Case:
    """A question in need of wrong options, and what may be used to make them."""

    question: Question  # without options
    truth: str
    settings: BuildQuestions
    rng: np.random.Generator
    states: Sequence[Point]  # of the gripper in the same episode
    elsewhere: Callable[[], Iterable[str]]  # called: answers of other episodes of the task, in random order
    common: Callable[[], Mapping[str, int]]  # called: how often each is the answer there, or in this episode


@dataclass(frozen=True)
class Kind:
    """One type: `truth` writes the right option, `wrong` draws options - 1 wrong ones or raises DistractorError."""

    truth: Callable[[Question, BuildQuestions], str]
    wrong: Callable[[Case], list[str]]


KINDS: dict[str, Kind] = {}


def answers_elsewhere(case: Case) -> list[str]:
    """Different answers of other episodes. Raises DistractorError where there are too few."""
    wrong: list[str] = []
    for answer in case.elsewhere():
        if answer != case.truth and answer not in wrong:
            wrong.append(answer)
        if len(wrong) == case.settings.options - 1:
            return wrong
    raise DistractorError(f"only {len(wrong)} other answers are known; lower `options` or collect more demonstrations")


def register(
    name: str,
    truth: Callable[[Question, BuildQuestions], str],
    question: str,
    wrong: Callable[[Case], list[str]] = answers_elsewhere,
) -> None:
    """Add a type of question by its name and the sentence that asks it.

    In memory that is all. To write the questions to disk and train on them, add the name to `records.QuestionType`.
    """
    KINDS[name] = Kind(truth, wrong)
    prompts.COMPACT_QUESTION[name] = question
    prompts.FULL_QUESTION[name] = f"{question} Choose the option that fits best:"


def _wrong_positions(case: Case) -> list[str]:
    question, settings = case.question, case.settings
    truth = question.target if question.type == "waypoint" else question.state

    def elsewhere() -> Iterator[list[float]]:
        return (parse_state(answer, len(truth)) for answer in case.elsewhere())

    draw = Draw(
        truth=truth,
        rng=case.rng,
        same_episode=case.states,
        other_episodes=elsewhere,
        near_distance=settings.near_distance,
    )
    points = draw_distractors(settings.distractors, draw, settings.options - 1, settings.minimum_gap, settings.decimals)
    if is_extended(truth):
        hands = cycle(chain(elsewhere(), [truth]))  # for laws that say where and not how: as in other answers
        points = [point if is_extended(point) else [*point, *next(hands)[3:]] for point in points]
    return [format_state(point, settings.decimals) for point in points]


def _wrong_movements(case: Case) -> list[str]:
    """Labels near the true one; between extended states, with the hand's words of other answers with such a label."""
    settings, common = case.settings, case.common()
    labels: Counter[str] = Counter()
    for answer, number in common.items():
        labels[split_hand(answer)[0]] += number
    label = split_hand(case.truth)[0]
    wrong = draw_movements(settings.distractors, label, settings.options - 1, case.rng, labels)
    return [join_hand(other, _hand(other, common, case)) for other in wrong]


def _hand(label: str, common: Mapping[str, int], case: Case) -> str:
    """Words for the hand, as often as they go with `label` in other answers, or with any where none has this label."""
    if not is_extended(case.question.target):
        return ""
    alike = {answer: number for answer, number in common.items() if split_hand(answer)[0] == label}
    answers = alike or common or {case.truth: 1}
    shares = np.array(list(answers.values()), dtype=float)
    return split_hand(list(answers)[case.rng.choice(len(shares), p=shares / shares.sum())])[1]


def _movement(question: Question, settings: BuildQuestions) -> str:
    return describe_motion(question.state, question.target, settings.dead_zone)


KINDS["waypoint"] = Kind(lambda question, settings: format_state(question.target, settings.decimals), _wrong_positions)
KINDS["state"] = Kind(lambda question, settings: format_state(question.state, settings.decimals), _wrong_positions)
KINDS["movement"] = Kind(_movement, _wrong_movements)


def same_answers(questions: Iterable[Question], settings: BuildQuestions) -> Counter[str]:
    """How often each text is the true one among `questions`."""
    return Counter(KINDS[question.type].truth(question, settings) for question in questions)
