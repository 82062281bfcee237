"""Answer pool: a fair sample of the answers to one type of question, which other questions use as distractors."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from robotr1.questions.splits import EpisodeKey

LIMIT = 2000  # answers; more would cost memory and add nothing


class AnswerPool:
    """At most LIMIT answers with their episodes: a reservoir sample, so a million questions need no more memory."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.seen = 0
        self.answers: list[str] = []
        self.episodes: list[EpisodeKey] = []
        self.counts_without = lru_cache(maxsize=1)(self._counts_without)

    def add(self, episode: EpisodeKey, answer: str) -> None:
        """Add one answer; every answer added stays with the same probability."""
        self.seen += 1
        if len(self.answers) < LIMIT:
            self.answers.append(answer)
            self.episodes.append(episode)
        elif (place := int(self.rng.integers(self.seen))) < LIMIT:
            self.answers[place], self.episodes[place] = answer, episode

    def without(self, episode: EpisodeKey, rng: np.random.Generator) -> Iterator[str]:
        """The answers of all other episodes, in random order; an answer that occurs twice comes twice."""
        for place in rng.permutation(len(self.answers)).tolist():
            if self.episodes[place] != episode:
                yield self.answers[place]

    def _counts_without(self, episode: EpisodeKey) -> Counter[str]:
        """How often each answer occurs in other episodes; the result for the last episode is cached."""
        return Counter(answer for answer, owner in zip(self.answers, self.episodes) if owner != episode)
