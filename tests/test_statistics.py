import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from robotr1.statistics import (
    accuracy_interval,
    clustered_interval,
    mean_interval,
    paired_difference,
    sign_flip_test,
    with_holm,
)

answers = st.lists(st.booleans(), min_size=1, max_size=60)


@given(answers, st.sampled_from([0.8, 0.95, 0.99]))
def test_accuracy_interval_is_wilsons(correct, confidence):
    mean, low, high = accuracy_interval(correct, confidence)
    assert 0 <= low <= mean <= high <= 1
    by_scipy = stats.binomtest(sum(correct), len(correct)).proportion_ci(confidence, method="wilson")
    assert (low, high) == pytest.approx((by_scipy.low, by_scipy.high), abs=1e-9)
    by_statsmodels = proportion_confint(sum(correct), len(correct), 1 - confidence, "wilson")
    assert (low, high) == pytest.approx(by_statsmodels, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_paired_difference_is_exact_mcnemar(pairs):
    a, b = map(list, zip(*pairs, strict=True))
    result = paired_difference(a, b)
    assert result.difference == pytest.approx(np.mean(a) - np.mean(b))
    assert result.gained - result.lost == sum(a) - sum(b)
    table = [[sum(x and y for x, y in pairs), result.gained], [result.lost, sum(not x and not y for x, y in pairs)]]
    assert result.p_value == pytest.approx(mcnemar(table, exact=True).pvalue)
    if result.gained + result.lost:
        by_scipy = stats.binomtest(result.gained, result.gained + result.lost).pvalue
        assert result.p_value == pytest.approx(by_scipy)
    assert -1 <= result.low <= result.difference + 1e-9
    assert result.difference - 1e-9 <= result.high <= 1
    swapped = paired_difference(b, a)
    assert (swapped.gained, swapped.lost, swapped.p_value) == (result.lost, result.gained, result.p_value)


def test_paired_bootstrap_agrees_with_the_normal_interval():
    rng = np.random.default_rng(0)
    a, b = rng.random(2000) < 0.7, rng.random(2000) < 0.4
    result = paired_difference(a, b)
    difference = a.astype(float) - b
    wide = 1.96 * difference.std() / np.sqrt(len(a))
    assert (result.low, result.high) == pytest.approx((difference.mean() - wide, difference.mean() + wide), abs=0.004)
    assert result == paired_difference(a, b), "the seed decides"


def test_clusters_of_copies_count_once():
    rng = np.random.default_rng(1)
    episodes = rng.random(60) < 0.5
    correct, clusters = np.repeat(episodes, 12), np.repeat(np.arange(60), 12)
    mean, low, high = clustered_interval(correct, clusters)
    _, low_alone, high_alone = accuracy_interval(episodes)
    _, low_naive, high_naive = accuracy_interval(correct)
    assert mean == pytest.approx(correct.mean())
    assert (low, high) == pytest.approx((low_alone, high_alone), abs=0.03)
    assert high - low > 2 * (high_naive - low_naive)
    assert clustered_interval(correct, [f"episode{c}" for c in clusters]) == (mean, low, high)


def test_clustered_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(100):
        right = rng.beta(3, 3, size=50)  # each episode has its own difficulty; the mean is 0.5
        correct = rng.random((50, 8)) < right[:, None]
        _, low, high = clustered_interval(correct.ravel(), np.repeat(np.arange(50), 8))
        covered += low <= 0.5 <= high
    assert 88 <= covered <= 99


def test_bad_input_is_refused():
    for bad in ([], [0.5, 1], ["yes"], [[True]]):
        with pytest.raises(ValueError, match=r"right|answers"):
            accuracy_interval(bad)
    with pytest.raises(ValueError, match="got 2 and 3"):
        paired_difference([True, False], [True, False, True])
    with pytest.raises(ValueError, match="every answer needs its cluster"):
        clustered_interval([True], [])


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30))
def test_mean_interval_agrees_with_the_one_for_right_and_wrong(scores):
    mean, low, high = mean_interval(scores)
    assert mean == pytest.approx(np.mean(scores))
    assert min(scores) <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= max(scores)
    right, clusters = [score > 1 for score in scores], [index // 2 for index in range(len(scores))]
    if len(set(clusters)) > 1:
        assert mean_interval(right, clusters=clusters) == clustered_interval(right, clusters)


def test_mean_interval_says_nothing_where_nothing_is_known():
    assert np.isnan(mean_interval([])).all()
    mean, low, high = mean_interval([3, 0], clusters=["a", "a"])
    assert mean == 1.5 and np.isnan([low, high]).all()
    with pytest.raises(ValueError, match="every answer needs its cluster"):
        mean_interval([1, 2], clusters=["a"])


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=8))
def test_sign_flips_of_few_units_are_counted_exactly(differences):
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=len(differences))]
    assert sign_flip_test(differences) == pytest.approx(np.mean(np.array(sums) >= abs(sum(differences))))


def test_sign_flips_need_a_difference():
    assert sign_flip_test([0, 0, 0]) == 1.0
    assert sign_flip_test([1] * 12) == pytest.approx(2 / 2**12)
    with pytest.raises(ValueError, match="no differences"):
        sign_flip_test([])


def test_holm_multiplies_the_smallest_by_the_number_of_comparisons():
    table = with_holm(pd.DataFrame({"p_value": [0.04, 0.01, 0.5]}))
    assert table["p_holm"].tolist() == pytest.approx([0.08, 0.03, 0.5])
    assert with_holm(pd.DataFrame(columns=["p_value"])).empty
