import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def scene(scenes):
    scene = scenes("put_rubbish_in_bin")
    scene.reset(np.random.default_rng(5))
    return scene


def let_go(scene, position, frames=30):
    """Let the ball fall from a position [3]; the arm waits at home."""
    scene.set_body("rubbish", position, np.array([0.0, 0, 0, 1]))
    for _ in range(frames):
        scene.step_frame(scene.arm_q(), 0.04)


@given(seed=st.integers(0, 10**6))
@relaxed
def test_objects_stand_apart_and_the_camera_sees_them(scenes, seed):
    """Every object shows most of itself in the front image: neither the bin nor a tomato covers another."""
    scene = scenes("put_rubbish_in_bin")
    scene.reset(np.random.default_rng(seed))
    bodies = ("bin", "rubbish", "tomato", "other_tomato")
    places = np.array([scene.body_pose(body)[:2] for body in bodies])
    distance = np.linalg.norm(places[:, None] - places, axis=-1) + np.eye(4)
    assert distance[0].min() > 0.2  # half the hand and the bin's radius
    assert distance.min() > 0.12
    mask = scene.mask()  # 112 x 112
    for geom, pixels in (("bin", 150), ("paper", 15), ("tomato", 15), ("other_tomato", 15)):
        assert (mask == scene.model.geom(geom).id + 1).sum() > pixels, geom


def test_the_paper_is_rugged_and_fits_between_the_fingers(scene):
    mesh = scene.model.mesh("paper")
    start, count = mesh.vertadr[0], mesh.vertnum[0]
    vertices = scene.model.mesh_vert[start : start + count]
    radius = np.linalg.norm(vertices - vertices.mean(axis=0), axis=1)
    assert 0.025 < radius.min() < radius.mean() < radius.max() < 0.040
    assert radius.std() > 0.001


def test_rubbish_dropped_over_the_bin_is_done_once_it_rests_there(scene):
    opening = scene.positions()[1]
    let_go(scene, opening + [0.03, 0.02, 0.015], frames=1)
    assert not scene.task.success(scene)  # still in the air
    for _ in range(30):
        scene.step_frame(scene.arm_q(), 0.04)
    assert scene.objects_rest()
    assert scene.task.success(scene)


@given(angle=st.floats(-np.pi, np.pi), distance=st.floats(0.13, 0.2))
@relaxed
def test_rubbish_beside_the_bin_is_no_success(scenes, angle, distance):
    scene = scenes("put_rubbish_in_bin")
    scene.reset(np.random.default_rng(5))
    foot = scene.body_pose("bin")[:3]
    let_go(scene, foot + [distance * np.cos(angle), distance * np.sin(angle), 0.034], frames=10)
    assert not scene.task.success(scene)


@pytest.mark.parametrize("waypoint", ["lift", "above", "release"])
def test_held_rubbish_is_no_success(scene, waypoint):
    from robotr1.demos.tabletop.engine import mujoco

    [goal] = [step for step in scene.task.waypoints(scene) if step.name == waypoint]
    scene.set_arm(scene.solve_ik(goal.pose))
    scene.task.hold(scene)
    mujoco.mj_forward(scene.model, scene.data)
    assert np.linalg.norm(scene.positions()[0] - scene.tip_pose()[:3]) < 0.001
    assert scene.data.contact.dist.min(initial=0) > -0.002
    assert not scene.task.success(scene)


def test_rubbish_in_the_bin_counts_only_with_the_gripper_open(scene):
    let_go(scene, scene.positions()[1] + [0, 0, 0.015])
    assert scene.task.success(scene)
    scene.set_gripper(0.5)
    assert not scene.task.success(scene)


def test_the_bin_stays_where_the_task_saw_it(scene):
    before = scene.positions()[1]
    let_go(scene, before + [0, 0, 0.1])
    np.testing.assert_array_equal(scene.positions()[1], before)
