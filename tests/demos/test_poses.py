import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from robotr1.demos import poses

numbers = st.floats(-1, 1)
quaternions = (
    st.tuples(numbers, numbers, numbers, numbers)
    .map(np.array)
    .filter(lambda q: np.linalg.norm(q) > 0.1)
    .map(lambda q: q / np.linalg.norm(q))
)
unit = st.floats(0, 1)


@given(quaternions)
def test_matrix_and_quaternion_are_inverse_up_to_sign(q):
    back = poses.quaternion(poses.matrix(q))
    assert np.isclose(abs(back @ q), 1, atol=1e-9)


@given(quaternions, quaternions)
def test_products_of_quaternions_are_products_of_matrices(a, b):
    product = poses.matrix(poses.multiply(a, b))
    np.testing.assert_allclose(product, poses.matrix(a) @ poses.matrix(b), atol=1e-12)


@given(quaternions)
def test_a_turn_and_its_opposite_cancel(q):
    np.testing.assert_allclose(poses.rotation_vector(poses.multiply(q, poses.conjugate(q))), 0, atol=1e-12)


@given(quaternions)
def test_a_rotation_vector_makes_the_same_turn(q):
    vector = poses.rotation_vector(q)
    angle = np.linalg.norm(vector)
    assert angle <= np.pi + 1e-9
    if angle > 1e-6:
        np.testing.assert_allclose(poses.matrix(poses.axis_angle(vector, angle)), poses.matrix(q), atol=1e-9)


@given(quaternions, quaternions, unit)
def test_mixed_poses_lie_between_their_ends(a, b, share):
    first, last = poses.pose([0, 0, 1], a), poses.pose([1, 0, 2], b)
    mixed = poses.mix(first, last, share)
    np.testing.assert_allclose(mixed[:3], [share, 0, 1 + share])
    whole = np.linalg.norm(poses.rotation_vector(poses.multiply(b, poses.conjugate(a))))
    done = np.linalg.norm(poses.rotation_vector(poses.multiply(mixed[3:], poses.conjugate(a))))
    assert np.isclose(done, share * whole, atol=1e-6)


@given(st.floats(-np.pi, np.pi))
def test_downward_points_down_whatever_the_yaw(yaw):
    rotation = poses.matrix(poses.downward(yaw))
    np.testing.assert_allclose(rotation[:, 2], [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(rotation[:, 1], [-np.sin(yaw), np.cos(yaw), 0], atol=1e-12)


@given(quaternions, st.integers(0, 10**6))
def test_a_rounded_rotation_gives_the_nearest_quaternion(q, seed):
    """As the eigenvector of LAPACK, which Bar-Itzhack's method is usually computed with."""
    rotation = poses.matrix(q) + np.random.default_rng(seed).uniform(-5e-6, 5e-6, (3, 3))
    (a, b, c), (d, e, f), (g, h, i) = rotation
    upper = [
        [a - e - i, b + d, c + g, h - f],
        [0, e - a - i, f + h, c - g],
        [0, 0, i - a - e, d - b],
        [0, 0, 0, a + e + i],
    ]
    expected = np.linalg.eigh(np.array(upper), UPLO="U")[1][:, -1]
    found = poses.quaternion(rotation)
    assert min(np.abs(found - expected).max(), np.abs(found + expected).max()) < 1e-13
