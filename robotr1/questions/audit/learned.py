"""Learned blind guesses: a conditional logit and a forest, fitted on train and by folds within each split.

Fitting on train shows what training could teach a policy without the image. The folds find regularities that hold in a
split alone, such as in tasks that are never trained on. All questions of an episode are in one fold, and questions that
share a set with the tested ones are not fitted on.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from robotr1.questions.audit.blind import BlindGuess, ConditionalLogit, option_features
from robotr1.questions.prompts import LETTERS
from robotr1.records import Question
from robotr1.statistics import accuracy_interval

FOLDS = 5
TREES, LEAF = 100, 10  # of the forest: number of trees, smallest leaf in options


class Forest:
    """Choose the option that a forest of trees finds most likely to be right; one forest per question type."""

    def __init__(self) -> None:
        self.forests: dict[str, ExtraTreesClassifier] = {}

    def fit(self, questions: Sequence[Question]) -> "Forest":
        """Fit on every option as right or wrong, deterministically. Raises ValueError without questions."""
        if not questions:
            raise ValueError("the forest needs training questions, got none")
        for type in sorted({question.type for question in questions}):
            chosen = [question for question in questions if question.type == type]
            features = np.vstack([forest_features(question) for question in chosen])
            right = np.concatenate([np.array(list(LETTERS[: len(q.options)])) == q.answer for q in chosen])
            forest = ExtraTreesClassifier(TREES, min_samples_leaf=LEAF, random_state=0, n_jobs=1)
            self.forests[type] = forest.fit(features, right)
        return self

    def choose_all(self, questions: Sequence[Question]) -> list[str]:
        """The letters for questions of one type that was fitted."""
        features = np.vstack([forest_features(question) for question in questions])
        forest = self.forests[questions[0].type]
        chance = forest.predict_proba(features)[:, list(forest.classes_).index(True)]
        return [LETTERS[int(row.argmax())] for row in chance.reshape(len(questions), -1)]


def forest_features(question: Question) -> np.ndarray:
    """Features of every option from the prompt alone, [options, features]: those of the logit, relative to the others.

    Each feature comes with its rank among the options and its difference from their mean; the letter's index follows.
    """
    features = option_features(question)
    ranks = features.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    index = np.arange(len(features))[:, None]
    return np.hstack([features, ranks, features - features.mean(axis=0), index])


def audit_learned(
    splits: dict[str, Sequence[Question]], confidence: float = 0.95, scored: Sequence[str] | None = None
) -> list[BlindGuess]:
    """Accuracy of both learned guesses, fitted on train and by folds, on every split (or those in `scored`) and type.

    Raises ValueError where there are no training questions.
    """
    rows = []
    for split, type, chosen in _groups(splits, scored):
        training = [question for question in splits["train"] if question.type == type]
        letters = {"logit": _logit(training, chosen), "forest": Forest().fit(training).choose_all(chosen)}
        if split == "train":
            letters = {}  # they would be scored on what they were fitted on
        letters |= {f"{name}, folds": guesses for name, guesses in _by_folds(chosen).items()}
        for name, guesses in letters.items():
            correct = [guess == question.answer for guess, question in zip(guesses, chosen, strict=True)]
            rows.append(BlindGuess(name, split, type, len(chosen), *accuracy_interval(correct, confidence)))
    return rows


def _groups(splits, scored):
    for split, questions in splits.items():
        if scored is None or split in scored:
            for type in dict.fromkeys(question.type for question in questions):
                yield split, type, [question for question in questions if question.type == type]


def _by_folds(questions: Sequence[Question]) -> dict[str, list[str]]:
    """Guesses for the questions of one type, each fitted on other folds; empty with fewer episodes than folds."""
    episodes = sorted({_episode(question) for question in questions})
    if len(episodes) < FOLDS:
        return {}
    fold_of = {episode: i % FOLDS for i, episode in enumerate(episodes)}
    guesses: dict[str, list[str]] = {"logit": [""] * len(questions), "forest": [""] * len(questions)}
    for fold in range(FOLDS):
        places = [i for i, question in enumerate(questions) if fold_of[_episode(question)] == fold]
        tested = [questions[i] for i in places]
        sets = {question.set for question in tested} - {None}
        fitted = [q for q in questions if fold_of[_episode(q)] != fold and q.set not in sets]
        if not fitted:
            return {}
        for name, letters in (("logit", _logit(fitted, tested)), ("forest", Forest().fit(fitted).choose_all(tested))):
            for place, letter in zip(places, letters, strict=True):
                guesses[name][place] = letter
    return guesses


def _logit(training: Sequence[Question], questions: Sequence[Question]) -> list[str]:
    model = ConditionalLogit().fit(training)
    return [model.choose(question) for question in questions]


def _episode(question: Question) -> tuple[str, int, int]:
    return question.task, question.variation, question.episode
