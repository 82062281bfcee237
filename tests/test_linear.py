import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1 import linear

sizes = st.integers(1, 6)


@given(seed=st.integers(0, 10**6), n=sizes, k=sizes, m=sizes)
def test_products_agree_with_numpy(seed, n, k, m):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, k)), rng.normal(size=(k, m))
    np.testing.assert_allclose(linear.matmul(a, b), a @ b, atol=1e-12)
    np.testing.assert_allclose(linear.dot(a, b[:, 0]), a @ b[:, 0], atol=1e-12)
    np.testing.assert_allclose(linear.norm(a), np.linalg.norm(a, axis=-1), atol=1e-12)


def test_whole_numbers_and_lists_are_vectors():
    assert linear.norm([3, 4]) == 5.0
    assert linear.dot([1, 2, 3], [1, 1, 1]) == 6.0


@pytest.mark.parametrize("values", [[1e16, 1.0, -1e16], [0.1] * 5])
def test_terms_are_added_in_their_order(values):
    total = values[0]
    for value in values[1:]:
        total += value
    assert linear.dot(values, np.ones(len(values))) == total
