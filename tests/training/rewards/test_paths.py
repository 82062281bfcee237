import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.forms.pixel_paths import path_distances
from robotr1.training.rewards import path_format_reward, path_reward
from robotr1.training.rewards.paths import END_DECAY

TRUTH = [(0, 0), (100, 0), (200, 0)]
SIZE = [300, 400]  # diagonal 500
PIXEL = st.floats(0, 400).map(lambda value: round(value, 2))
PATHS = st.lists(st.tuples(PIXEL, PIXEL), min_size=3, max_size=10)


def written(points):
    return f"<think> so </think> <answer> {[list(point) for point in points]} </answer>"


def test_the_true_path_gets_one_and_no_path_nothing():
    texts = [written(TRUTH), written(TRUTH[:2]), "<think> a </think> <answer> none </answer>"]
    assert path_reward(texts, answer=[TRUTH] * 3, size=[SIZE] * 3) == [1.0, 0.0, 0.0]
    assert path_format_reward(texts) == [1.0, 0.0, 0.0]


def test_a_parallel_path_by_hand():
    """50 pixels, a tenth of the diagonal, below the true path everywhere."""
    text = written([(x, y + 50) for x, y in TRUTH])
    assert path_reward([text], answer=[TRUTH], size=[SIZE]) == pytest.approx([(0.9 + math.exp(-1)) / 2])


@given(PATHS, PATHS)
def test_both_terms_count_half(points, truth):
    distances = path_distances(points, truth)
    match = max(0.0, 1 - (distances["frechet"] + distances["hausdorff"] + distances["rmse"]) / 3 / 500)
    end = math.exp(-END_DECAY * math.dist(points[-1], truth[-1]) / 500)
    (value,) = path_reward([written(points)], answer=[truth], size=[SIZE])
    assert value == pytest.approx((match + end) / 2)
    assert 0.0 <= value <= 1.0


def test_a_nearer_end_is_better():
    columns = {"answer": [TRUTH] * 3, "size": [SIZE] * 3}
    values = path_reward([written([*TRUTH[:2], (200, y)]) for y in (0, 20, 80)], **columns)
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 3
