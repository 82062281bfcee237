"""What must hold for every build: a broken question set would change every accuracy after it, silently."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from scipy import stats

from robotr1 import paths
from robotr1.demos.images import read_png
from robotr1.questions.answers import parse_state
from robotr1.questions.distractors import TOLERANCE, smallest_gap
from robotr1.questions.movement import describe_movement, parse_movement
from robotr1.questions.prompts import LETTERS, format_state
from robotr1.records import Question
from robotr1.settings import BuildQuestions

LETTERS_P_VALUE = 0.001  # below this the letters of a split are not shuffled by chance


class BuildError(ValueError):
    """Questions cannot be built from these demonstrations, or do not hold; the message names the question and fix."""


def check_questions(splits: dict[str, Sequence[Question]], settings: BuildQuestions) -> None:
    """Raise BuildError unless ids are unique, splits share no episode, and every question and letter count holds."""
    questions = [question for split in splits.values() for question in split]
    if repeated := [name for name, count in Counter(question.id for question in questions).items() if count > 1]:
        raise BuildError(f"{len(repeated)} question ids occur twice, first {repeated[0]}; read each episode once")
    split_of: dict[tuple, str] = {}
    for question in questions:
        episode = (question.task, question.variation, question.episode)
        if split_of.setdefault(episode, question.split) != question.split:
            raise BuildError(f"{question.id}: its episode is in {split_of[episode]} and in {question.split}")
        check_question(question, settings)
    if settings.option_order == "shuffled":
        check_letters(questions)


def check_question(question: Question, settings: BuildQuestions) -> None:
    """Raise BuildError unless the options are all different, apart enough, and hold the truth once, at the answer."""
    options = question.options
    if len(options) != settings.options or len(set(options)) != len(options):
        raise BuildError(f"{question.id}: expected {settings.options} different options, got {options}")
    truth = true_option(question, settings)
    if truth not in options or LETTERS[options.index(truth)] != question.answer:
        raise BuildError(f"{question.id}: the answer {question.answer} is not the truth {truth} in {options}")
    if question.type == "movement":
        if not all(parse_movement(option) for option in options):
            raise BuildError(f"{question.id}: not all options are movement labels: {options}")
    elif (gap := smallest_gap([parse_state(option) for option in options])) < settings.minimum_gap - TOLERANCE:
        raise BuildError(f"{question.id}: two options are {gap:.3f} m apart, minimum_gap is {settings.minimum_gap}")


def check_letters(questions: Sequence[Question]) -> None:
    """Raise BuildError where the answers' letters of a split and type are not equally frequent (chi-square)."""
    letters = defaultdict(Counter)
    for question in questions:
        letters[question.split, question.type].update({letter: 0 for letter in LETTERS[: len(question.options)]})
        letters[question.split, question.type][question.answer] += 1
    for (split, type), counts in letters.items():
        if stats.chisquare(list(counts.values())).pvalue < LETTERS_P_VALUE:
            raise BuildError(f"{split}, {type}: letters are not balanced: {dict(sorted(counts.items()))}")


def check_images(questions: Sequence[Question]) -> None:
    """Raise BuildError, naming the file, unless every image can be read."""
    for image in dict.fromkeys(question.image for question in questions):
        try:
            read_png(paths.ROOT / image)
        except (OSError, ValueError) as error:
            raise BuildError(f"{image}: cannot be read ({error}); run the stage extract_demos again") from error


def true_option(question: Question, settings: BuildQuestions) -> str:
    """The text of the right option, from the question's own state and target."""
    if question.type == "movement":
        return describe_movement(np.subtract(question.target, question.state), settings.dead_zone)
    return format_state(question.target if question.type == "waypoint" else question.state, settings.decimals)
