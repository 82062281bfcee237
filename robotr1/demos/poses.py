"""Poses in RLBench's form: seven numbers, position xyz in metres and quaternion xyzw."""

import math

import numpy as np

from robotr1.linear import dot, norm

POWER_STEPS = 8  # more than enough: a rotation exact to 5 digits needs 4 to reach the last bit


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply two quaternions xyzw: rotate by `b`, then by `a`."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return np.array(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ]
    )


def conjugate(q: np.ndarray) -> np.ndarray:
    """Invert a unit quaternion xyzw."""
    return np.array([-q[0], -q[1], -q[2], q[3]])


def axis_angle(axis: np.ndarray, angle: float) -> np.ndarray:
    """Return the quaternion xyzw of a rotation by `angle` radians about `axis` (of any length but zero)."""
    axis = np.asarray(axis, float) / norm(axis)
    return np.append(math.sin(angle / 2) * axis, math.cos(angle / 2))


def rotation_vector(q: np.ndarray) -> np.ndarray:
    """Return a rotation as axis times angle [3], the angle within [0, pi]."""
    q = np.asarray(q, float) * (1 if q[3] >= 0 else -1)
    length = norm(q[:3])
    return q[:3] * (2 * math.atan2(length, q[3]) / length) if length > 1e-12 else 2 * q[:3]


def matrix(q: np.ndarray) -> np.ndarray:
    """Return the rotation matrix [3,3] of a quaternion xyzw."""
    x, y, z, w = np.asarray(q, float) / max(norm(q), 1e-12)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def pose_matrix(pose: np.ndarray) -> np.ndarray:
    """Return the homogeneous matrix [4,4] of a pose [7]."""
    homogeneous = np.eye(4)
    homogeneous[:3, :3], homogeneous[:3, 3] = matrix(pose[3:]), pose[:3]
    return homogeneous


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """Return the quaternion xyzw of a rotation matrix [3,3], its largest entry positive (Bar-Itzhack's method)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    symmetric = np.array(
        [
            [a - e - i, b + d, c + g, h - f],
            [b + d, e - a - i, f + h, c - g],
            [c + g, f + h, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    ) + np.eye(4)  # for an exact rotation, this is 4 q qᵀ
    q = symmetric[np.argmax(np.diagonal(symmetric))]
    for _ in range(POWER_STEPS):
        q = dot(symmetric, q)
        q = q / norm(q)
    return q if q[np.argmax(np.abs(q))] > 0 else -q


def pose(position: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Join a position [3] and a quaternion [4] to a pose [7]."""
    return np.concatenate([position, q]).astype(float)


def mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """Interpolate two poses [7], `share` of the way from `a` to `b`: a straight line and a uniform rotation."""
    turn = rotation_vector(multiply(b[3:], conjugate(a[3:])))
    angle = norm(turn)
    q = multiply(axis_angle(turn, share * angle), a[3:]) if angle > 1e-9 else a[3:]
    return pose(a[:3] + share * (b[:3] - a[:3]), q)


def downward(yaw: float = 0.0) -> np.ndarray:
    """Return the quaternion of a gripper that points down, fingers opening along y, rotated by `yaw` about world z."""
    return multiply(axis_angle([0, 0, 1], yaw), np.array([0.0, 1.0, 0.0, 0.0]))
