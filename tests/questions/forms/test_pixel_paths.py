import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import directed_hausdorff

from robotr1.questions.forms.pixel_paths import SAMPLES, end_distance, is_path_formatted, parse_path, path_distances

PIXEL = st.floats(0, 500).map(lambda value: round(value, 2))
PATHS = st.lists(st.tuples(PIXEL, PIXEL), min_size=3, max_size=10)


def written(points):
    return f"<think> so </think> <answer> {[list(point) for point in points]} </answer>"


@given(st.lists(st.tuples(PIXEL, PIXEL), max_size=14))
def test_three_to_ten_points_are_read(points):
    allowed = 3 <= len(points) <= 10
    assert parse_path(written(points)) == (points if allowed else None)
    assert is_path_formatted(written(points)) == allowed


@pytest.mark.parametrize(
    "body",
    ["[1, 2], [3, 4], [5, 6]", "[[1, 2] [3, 4] [5, 6]]", "[[1, 2], [3, 4], [5]]", "[[1, 2], [3, 4], [5, 6],]", "[]"]
    + ["[[1, 2], [3, 4], [5, nan]]", "[1, 2, 3, 4, 5, 6]"],
)
def test_other_answers_are_no_path(body):
    assert parse_path(f"<think> a </think> <answer> {body} </answer>") is None


def frechet(one, other):
    """Eiter and Mannila's recursion for the discrete Fréchet distance, in float64."""

    @cache
    def coupled(i, j):
        gap = math.dist(one[i], other[j])
        before = [coupled(*pair) for pair in ((i - 1, j), (i - 1, j - 1), (i, j - 1)) if min(pair) >= 0]
        return max(gap, min(before)) if before else gap

    return coupled(len(one) - 1, len(other) - 1)


def at_share(points, share):
    """The point at a share of a path's length, walked segment by segment."""
    left = share * sum(math.dist(a, b) for a, b in zip(points, points[1:], strict=False))
    for a, b in zip(points, points[1:], strict=False):
        length = math.dist(a, b)
        if left <= length and length > 0:
            return [p + (q - p) * left / length for p, q in zip(a, b, strict=True)]
        left -= length
    return points[-1]


@given(PATHS, PATHS)
def test_distances_against_references(one, other):
    found = path_distances(one, other)
    assert found["frechet"] == pytest.approx(frechet(one, other), abs=1e-9)
    hausdorff = max(directed_hausdorff(one, other)[0], directed_hausdorff(other, one)[0])
    assert found["hausdorff"] == pytest.approx(hausdorff, abs=1e-9)
    shares = np.linspace(0, 1, SAMPLES)
    squares = [math.dist(at_share(one, share), at_share(other, share)) ** 2 for share in shares]
    assert found["rmse"] == pytest.approx(math.sqrt(sum(squares) / SAMPLES), abs=1e-6)
    assert found["hausdorff"] <= found["frechet"] + 1e-9
    assert end_distance(one, other) == pytest.approx(float(np.hypot(*np.subtract(one[-1], other[-1]))))


@given(PATHS)
def test_a_path_is_at_no_distance_from_itself(points):
    assert path_distances(points, points) == {"frechet": 0.0, "hausdorff": 0.0, "rmse": 0.0}


def test_the_way_back_is_near_by_hausdorff_and_far_by_frechet():
    there = [(0, 0), (50, 0), (100, 0)]
    found = path_distances(there, there[::-1])
    assert found["hausdorff"] == 0
    assert found["frechet"] == 100


def test_points_that_stand_still_are_a_path():
    assert path_distances([(5, 5)] * 3, [(8, 9)] * 4) == {"frechet": 5.0, "hausdorff": 5.0, "rmse": 5.0}
