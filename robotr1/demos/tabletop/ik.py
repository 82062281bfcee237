"""Inverse kinematics: damped least squares with a pull toward home in the null space."""

import numpy as np

from robotr1.demos.poses import conjugate, multiply, rotation_vector
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.robot import ARM_JOINTS, HOME_Q, JOINT_OFFSET
from robotr1.linear import dot, matmul, norm

STEPS = 150
STEP_LIMIT = 0.25  # radians
DAMPING = 0.1
PULL = 0.1  # share of the distance to home per step, in the null space
SMALLEST_PIVOT = 1e-12  # of a factorisation, where the arm is singular
POSITION_TOLERANCE, ROTATION_TOLERANCE = 2e-4, 1e-3  # metres, radians


def arm_addresses(model: mujoco.MjModel) -> np.ndarray:
    """Return the indices of the seven arm joints in qpos."""
    return np.array([model.joint(name).qposadr[0] for name in ARM_JOINTS])


def arm_limits(model: mujoco.MjModel) -> np.ndarray:
    """Return the lowest and highest joint angles [7,2] in RLBench's convention."""
    return np.array([model.joint(name).range for name in ARM_JOINTS]) - JOINT_OFFSET[:, None]


def solve(model: mujoco.MjModel, data: mujoco.MjData, pose: np.ndarray, q0: np.ndarray) -> np.ndarray | None:
    """Find joint angles [7] that bring the tip to `pose` [7] (xyz + quaternion xyzw), starting at `q0` [7].

    Angles follow RLBench. Returns None if the pose is out of reach. Overwrites the arm's state in `data`, so pass a
    scratch MjData.
    """
    addresses, limits = arm_addresses(model), arm_limits(model) + [[0.01, -0.01]]
    dofs = np.array([model.joint(name).dofadr[0] for name in ARM_JOINTS])
    tip = model.site("tip").id
    jacobian, q = np.zeros((6, model.nv)), np.clip(q0, *limits.T)
    turned = np.zeros(4)
    for _ in range(STEPS):
        data.qpos[addresses] = q + JOINT_OFFSET
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mju_mat2Quat(turned, data.site_xmat[tip])
        turn = rotation_vector(multiply(pose[3:], conjugate(np.roll(turned, -1))))
        error = np.concatenate([pose[:3] - data.site_xpos[tip], turn])
        if norm(error[:3]) < POSITION_TOLERANCE and norm(turn) < ROTATION_TOLERANCE:
            return q
        mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], tip)
        J = jacobian[:, dofs]
        squared, pull = matmul(J, J.T), PULL * (HOME_Q - q)
        damping = DAMPING**2 * min(1.0, dot(error, error)) * np.eye(6)
        step = dot(J.T, _solve(squared + damping, error)) + pull - dot(J.T, _solve(squared, dot(J, pull)))
        q = np.clip(q + step * min(1.0, STEP_LIMIT / np.abs(step).max()), *limits.T)
    return None


def _solve(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Solve a symmetric positive definite system by MuJoCo's Cholesky factorisation, equal on every CPU."""
    factor, solution = matrix.copy(), np.zeros(len(vector))
    mujoco.mju_cholFactor(factor, SMALLEST_PIVOT)
    mujoco.mju_cholSolve(solution, factor, vector)
    return solution
