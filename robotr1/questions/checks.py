"""Checks that every build must pass: a broken question set would silently change every accuracy after it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from PIL import Image
from scipy import stats

from robotr1 import paths
from robotr1.questions.answers import parse_position
from robotr1.questions.distractors.positions import TOLERANCE, smallest_gap
from robotr1.questions.movement import parse_movement
from robotr1.questions.prompts import LETTERS
from robotr1.questions.question_types import QUESTION_TYPES
from robotr1.records import Question
from robotr1.settings import BuildQuestions

LETTERS_P_VALUE = 0.001  # below this the letters of a split are not balanced
IMAGE_TOKENS = 324  # of Qwen2.5-VL for 512 x 512 pixels, to which the paper's trainer enlarges 224 x 224
_PIECE = re.compile(r"[A-Za-z]{1,4}|\s+|.")


class BuildError(ValueError):
    """Questions cannot be built from these demonstrations, or fail a check; the message names the question and fix."""


class QuestionCheck:
    """Check a stream of questions one by one; memory grows with the episodes and not with the questions.

    The questions of an episode must follow each other within their split, as every build writes them. In paired
    options, the questions of a set follow each other; their ids and sets are all kept.
    """

    def __init__(self, settings: BuildQuestions):
        self.settings = settings
        self.split_of: dict[tuple, str] = {}
        self.episode: tuple | None = None
        self.ids: set[str] = set()  # of the current episode, or of all sets
        self.members: list[Question] = []  # of the current set
        self.sets: set[str] = set()
        self.letters: defaultdict[tuple[str, str], Counter] = defaultdict(Counter)

    def add(self, question: Question) -> Question:
        """Return the question. Raises BuildError where it is wrong by itself or contradicts those before it."""
        episode = (question.task, question.variation, question.episode)
        known = episode in self.split_of
        if self.split_of.setdefault(episode, question.split) != question.split:
            raise BuildError(f"{question.id}: its episode is in {self.split_of[episode]} and in {question.split}")
        if question.set is not None:
            self._add_to_set(question)
        elif episode != self.episode:
            if known:
                raise BuildError(f"{question.id}: its episode occurs twice; read each episode once")
            self.episode, self.ids = episode, set()
        if question.id in self.ids:
            raise BuildError(f"{question.id}: occurs twice; read each episode once")
        self.ids.add(question.id)
        check_question(question, self.settings)
        self.letters[question.split, question.type][question.answer] += 1
        return question

    def finish(self) -> None:
        """Raise BuildError where the last set is incomplete, or shuffled letters are not equally frequent."""
        check_set(self.members)
        if self.settings.option_order == "shuffled":
            check_letters(self.letters, self.settings.options)

    def _add_to_set(self, question: Question) -> None:
        if self.members and self.members[0].set != question.set:
            check_set(self.members)
            self.members = []
        if not self.members:
            if question.set in self.sets:
                raise BuildError(f"{question.id}: set {question.set} occurs twice; keep its questions together")
            self.sets.add(question.set)
        self.members.append(question)


def check_set(members: Sequence[Question]) -> None:
    """Raise BuildError unless the questions of a set share their options and each option is right exactly once."""
    if not members:
        return
    options = {frozenset(question.options) for question in members}
    answers = [question.options[LETTERS.index(question.answer)] for question in members]
    if len(options) > 1 or sorted(answers) != sorted(members[0].options):
        raise BuildError(
            f"set {members[0].set}: the questions must share their options, and each must be right once; got answers "
            f"{answers} and options {[question.options for question in members]}"
        )


def check_questions(splits: dict[str, Sequence[Question]], settings: BuildQuestions) -> None:
    """Raise BuildError unless ids are unique, splits share no episode, and every question and letter count is right."""
    check = QuestionCheck(settings)
    for questions in splits.values():
        for question in questions:
            check.add(question)
    check.finish()


def check_question(question: Question, settings: BuildQuestions) -> None:
    """Raise BuildError unless the options differ, are far enough apart, and contain the truth at the answer's letter.

    The prompt must show the answer and stay within the budget.
    """
    options = question.options
    if len(options) != settings.options or len(set(options)) != len(options):
        raise BuildError(f"{question.id}: expected {settings.options} different options, got {options}")
    truth = QUESTION_TYPES[question.type].truth(question, settings)
    if truth not in options or LETTERS[options.index(truth)] != question.answer:
        raise BuildError(f"{question.id}: the answer {question.answer} is not the truth {truth} in {options}")
    if question.type == "movement":
        if not all(parse_movement(option) for option in options):
            raise BuildError(f"{question.id}: not all options are movement labels: {options}")
    elif question.type in ("waypoint", "state"):
        gap = smallest_gap([parse_position(option) for option in options])
        if gap < settings.minimum_gap - TOLERANCE:
            raise BuildError(f"{question.id}: two options are {gap:.3f} m apart, minimum_gap is {settings.minimum_gap}")
    if f"\n[[{question.answer}]] {truth}\n" not in question.prompt:
        raise BuildError(f"{question.id}: the prompt does not show the answer {question.answer}, {truth}")
    may_be_long = IMAGE_TOKENS + len(question.prompt) > settings.prompt_budget  # a token has one character or more
    if may_be_long and (tokens := prompt_tokens(question.prompt)) > settings.prompt_budget:
        raise BuildError(
            f"{question.id}: the prompt has about {tokens} tokens with its image, prompt_budget is "
            f"{settings.prompt_budget}; use fewer options, prompt: compact, or a larger budget"
        )


def prompt_tokens(prompt: str) -> int:
    """Upper estimate of a prompt's tokens with its image: one for every four letters, every digit, sign and space.

    Qwen2.5's tokenizer writes digits one by one and takes most words, with the space before them, as one or two.
    """
    return IMAGE_TOKENS + len(_PIECE.findall(prompt))


def check_letters(letters: dict[tuple[str, str], Counter], options: int) -> None:
    """Raise BuildError where the answers' letters of a split and type are not equally frequent (chi-square)."""
    for (split, type), counts in letters.items():
        if stats.chisquare([counts[letter] for letter in LETTERS[:options]]).pvalue < LETTERS_P_VALUE:
            raise BuildError(f"{split}, {type}: letters are not balanced: {dict(sorted(counts.items()))}")


def check_images(questions: Iterable[Question]) -> None:
    """Raise BuildError, naming the file, unless every image is a whole PNG by its checksums (no pixel is decoded)."""
    for image in dict.fromkeys(question.image for question in questions):
        try:
            with Image.open(paths.ROOT / image, formats=["PNG"]) as file:
                file.verify()
        except (OSError, SyntaxError, ValueError) as error:
            raise BuildError(f"{image}: cannot be read ({error}); run the stage extract_demos again") from error
