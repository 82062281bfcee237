import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def scene(scenes):
    scene = scenes("phone_on_base")
    scene.reset(np.random.default_rng(5))
    return scene


def lay(scene, shift=(0, 0, 0), turn=0.0, frames=20):
    """Lay the handset `shift` metres (in the base's frame) and `turn` radians off its place; the arm waits at home."""
    from robotr1.demos.poses import axis_angle, matrix, multiply

    base = scene.body_pose("base")
    place = scene.positions()[1] + matrix(base[3:]) @ shift
    scene.set_body("phone", place, multiply(axis_angle([0, 0, 1], turn), base[3:]))
    for _ in range(frames):
        scene.step_frame(scene.arm_q(), 0.04)


@given(seed=st.integers(0, 10**6))
@relaxed
def test_phone_and_base_lie_apart_and_the_camera_sees_both(scenes, seed):
    scene = scenes("phone_on_base")
    scene.reset(np.random.default_rng(seed))
    assert np.linalg.norm((scene.body_pose("phone") - scene.body_pose("base"))[:2]) > 0.2
    assert scene.data.contact.dist.min(initial=0) > -0.001
    mask = scene.mask()  # 112 x 112
    assert (mask == scene.model.geom("base").id + 1).sum() > 100
    assert (mask == scene.model.geom("handle").id + 1).sum() > 10
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert not np.isin(edge, [scene.model.geom(name).id + 1 for name in ("base", "handle", "cap-1", "cap1")]).any()


def test_the_handset_rests_where_the_task_says_that_it_ends(scene):
    seat = scene.positions()[1]
    lay(scene, (0, 0, 0.004))
    assert scene.objects_rest()
    np.testing.assert_allclose(scene.positions()[0], seat, atol=1e-3)
    assert scene.task.success(scene)


@pytest.mark.parametrize(
    ("shift", "turn"),
    [((0, 0.03, 0), 0.0), ((0, -0.2, -0.036), 0.0), ((0, 0, 0.02), 0.4), ((0, 0, 0.02), np.pi / 2)],
    ids=["beside its place", "beside the base", "askew", "across"],
)
def test_a_handset_elsewhere_is_no_success(scene, shift, turn):
    lay(scene, shift, turn)
    assert not scene.task.success(scene)


def test_a_falling_handset_is_no_success_yet(scene):
    lay(scene, (0, 0, 0.10), frames=2)
    assert not scene.task.success(scene)


@pytest.mark.parametrize("waypoint", ["lift", "above", "place"])
def test_a_held_handset_is_no_success(scene, waypoint):
    from robotr1.demos.tabletop.engine import mujoco

    [goal] = [step for step in scene.task.waypoints(scene) if step.name == waypoint]
    scene.set_arm(scene.solve_ik(goal.pose))
    scene.task.hold(scene)
    mujoco.mj_forward(scene.model, scene.data)
    assert np.linalg.norm(scene.positions()[0] - scene.tip_pose()[:3]) < 0.001
    assert scene.data.contact.dist.min(initial=0) > -0.002
    assert not scene.task.success(scene)


def test_the_handset_counts_only_with_the_gripper_open(scene):
    lay(scene)
    assert scene.task.success(scene)
    scene.set_gripper(0.3)
    assert not scene.task.success(scene)
