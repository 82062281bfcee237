"""Reference policies: what a perfect, a guessing and a blind policy reach. All write the strict answer form."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from robotr1.questions.audit.blind import ConditionalLogit
from robotr1.questions.prompts import LETTERS, completion_text
from robotr1.records import Question


def oracle(questions: Sequence[Question]) -> list[str]:
    """The right letter to every question: the ceiling, and a test of everything that scores."""
    return [completion_text(f"The answer is {q.answer}.", q.answer) for q in questions]


def random_choice(questions: Sequence[Question], seed: int) -> list[str]:
    """A letter drawn evenly for every question; the draw depends on seed and question id, not on the order."""
    letters = []
    for question in questions:
        rng = np.random.default_rng([seed, *question.id.encode()])
        letters.append(LETTERS[rng.integers(len(question.options))])
    return [completion_text("No reason.", letter) for letter in letters]


def majority(questions: Sequence[Question], training: Sequence[Question]) -> list[str]:
    """To every question the letter that was right most often in the training questions of its type: what knowing
    nothing but the habits of the question set is worth. Raises KeyError for a type that was not in training."""
    counts: dict[str, Counter[str]] = {}
    for question in training:
        counts.setdefault(question.type, Counter())[question.answer] += 1
    most = {kind: max(sorted(letters), key=letters.__getitem__) for kind, letters in counts.items()}
    return [completion_text("Most answers are this one.", most[question.type]) for question in questions]


class TextOnly:
    """The best blind guess: a conditional logit over what the prompt says of each option, fitted on training questions.

    It never sees an image. A policy that does not beat it has not shown that it looks.
    """

    def __init__(self) -> None:
        self.model = ConditionalLogit()

    def fit(self, training: Sequence[Question]) -> "TextOnly":
        """Fit one set of weights per question type. Raises ValueError without questions."""
        self.model.fit(training)
        return self

    def complete(self, questions: Sequence[Question]) -> list[str]:
        """Raises KeyError for a question type that was not in training."""
        return [completion_text("The text alone suggests it.", self.model.choose(q)) for q in questions]
