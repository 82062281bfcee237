import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robotr1.demos.poses import conjugate, downward, multiply, pose, rotation_vector

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(seed=st.integers(0, 10**6))
@relaxed
def test_the_solution_reaches_the_pose_within_the_limits(scenes, seed):
    """Poses over the table, the gripper near to pointing down: all are reachable, and forward kinematics agrees."""
    from robotr1.demos.tabletop.ik import arm_limits
    from robotr1.demos.tabletop.scene import HOME_Q

    scene, rng = scenes("push_button"), np.random.default_rng(seed)
    position = rng.uniform([0.05, -0.35, 0.78], [0.42, 0.35, 1.1])
    target = pose(position, downward(rng.uniform(-np.pi / 2, np.pi / 2)))
    q = scene.solve_ik(target, HOME_Q + rng.normal(0, 0.1, 7))
    assert q is not None
    lowest, highest = arm_limits(scene.model).T
    assert (q >= lowest).all()
    assert (q <= highest).all()
    scene.set_arm(q)
    reached = scene.tip_pose()
    np.testing.assert_allclose(reached[:3], target[:3], atol=3e-4)
    turn = rotation_vector(multiply(target[3:], conjugate(reached[3:])))
    assert np.linalg.norm(turn) < 2e-3


@pytest.mark.parametrize("position", [[2.0, 0, 1.0], [0.3, 0, 2.5], [-0.27, 0, 0.9]])
def test_out_of_reach_is_none(scenes, position):
    assert scenes("push_button").solve_ik(pose(position, downward())) is None


def test_solving_leaves_the_scene_alone(scenes):
    scene = scenes("push_button")
    scene.reset(np.random.default_rng(1))
    before = scene.data.qpos.copy()
    scene.solve_ik(pose([0.3, 0.1, 0.9], downward()))
    np.testing.assert_array_equal(scene.data.qpos, before)
