"""Small vectors and matrices with the same result on every CPU.

NumPy's `@`, `dot` and `linalg` call BLAS and LAPACK, which choose their kernels by the CPU and round differently. These
functions add elementwise products in a fixed order instead. NumPy's own tan, arctan2, arccos, exp, log and power also
depend on the CPU (AVX-512); use `math` for those.
"""

import numpy as np
from numpy.typing import ArrayLike


def dot(a: ArrayLike, b: ArrayLike) -> np.ndarray | float:
    """Sum the products over the last axis: vectors [...,K] and [...,K], or a matrix [N,K] times a vector [K]."""
    products = np.multiply(a, b, dtype=np.float64)
    total = products[..., 0]
    for k in range(1, products.shape[-1]):
        total = total + products[..., k]
    return total


def norm(vectors: ArrayLike) -> np.ndarray | float:
    """Return the Euclidean length over the last axis of [...,K]."""
    return np.sqrt(dot(vectors, vectors))


def matmul(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Multiply matrices [N,K] and [K,M]."""
    return dot(np.asarray(a)[:, None, :], np.asarray(b).T[None, :, :])
