from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.distractors import answer_pool
from robotr1.questions.distractors.answer_pool import AnswerPool

entries = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=30)


def filled(entries, seed=0) -> AnswerPool:
    pool = AnswerPool(np.random.default_rng(seed))
    for episode, answer in entries:
        pool.add(("t", 0, episode), answer)
    return pool


@given(entries, st.integers(0, 3))
def test_only_other_episodes_answer(entries, episode):
    pool, expected = filled(entries), Counter(answer for owner, answer in entries if owner != episode)
    assert Counter(pool.without(("t", 0, episode), np.random.default_rng(1))) == expected
    assert pool.counts_without(("t", 0, episode)) == expected


def test_a_full_pool_keeps_every_answer_with_the_same_probability(monkeypatch):
    monkeypatch.setattr(answer_pool, "LIMIT", 10)
    kept = Counter()
    for seed in range(2000):
        pool = filled([(number, str(number)) for number in range(40)], seed)
        assert len(pool.answers) == len(pool.episodes) == 10
        assert [str(episode) for _, _, episode in pool.episodes] == pool.answers
        kept.update(pool.answers)
    assert len(kept) == 40
    assert max(abs(count - 500) for count in kept.values()) < 100  # 5 standard deviations
