"""Reference policies that need no model: oracle, random, most frequent letter, text only.

All complete with the strict answer form.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from robotr1.questions.audit.blind import ConditionalLogit
from robotr1.questions.prompts import LETTERS, completion_text
from robotr1.records import Question


def oracle(questions: Sequence[Question]) -> list[str]:
    """The right letter to every question: the upper bound, and a test of all scoring."""
    return [completion_text(f"The answer is {q.answer}.", q.answer) for q in questions]


def random_choice(questions: Sequence[Question], seed: int) -> list[str]:
    """A uniformly random letter for every question; it depends on seed and question id, not on the order."""
    letters = []
    for question in questions:
        rng = np.random.default_rng([seed, *question.id.encode()])
        letters.append(LETTERS[rng.integers(len(question.options))])
    return [completion_text("No reason.", letter) for letter in letters]


def majority(questions: Sequence[Question], training: Sequence[Question]) -> list[str]:
    """For every question the most frequent right letter among the training questions of its type.

    It measures what the letters' frequencies alone give away. Raises KeyError for a type without training questions.
    """
    counts: dict[str, Counter[str]] = {}
    for question in training:
        counts.setdefault(question.type, Counter())[question.answer] += 1
    most = {kind: max(sorted(letters), key=letters.__getitem__) for kind, letters in counts.items()}
    return [completion_text("Most answers are this one.", most[question.type]) for question in questions]


class TextOnly:
    """The strongest blind baseline: a conditional logit over the prompt's text, fitted on training questions.

    It never sees an image. A policy must beat it to show that it uses the image.
    """

    def __init__(self) -> None:
        self.model = ConditionalLogit()

    def fit(self, training: Sequence[Question]) -> "TextOnly":
        """Fit one set of weights per question type. Raises ValueError without questions."""
        self.model.fit(training)
        return self

    def complete(self, questions: Sequence[Question]) -> list[str]:
        """One completion per question. Raises KeyError for a question type without training questions."""
        return [completion_text("The text alone suggests it.", self.model.choose(q)) for q in questions]
