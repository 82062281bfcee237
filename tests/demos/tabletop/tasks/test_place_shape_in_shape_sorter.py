import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

relaxed = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHAPES = ("cube", "cylinder", "triangular prism", "star", "moon")


@pytest.fixture
def scene(scenes):
    scene = scenes("place_shape_in_shape_sorter")
    scene.reset(np.random.default_rng(3), variation=0)
    yield scene
    scene.reset(np.random.default_rng(3), variation=0)


def let_fall(scene, shift=(0, 0), height=0.03, turn=0.0, frames=25):
    """Let the shape fall from above its hole, moved along the sorter's x and y and turned; the arm waits at home."""
    from robotr1.demos.poses import axis_angle, matrix, multiply

    sorter = scene.body_pose("sorter")[3:]
    place = scene.positions()[1] + matrix(sorter) @ [*shift, height]
    scene.set_body(SHAPES[scene.variation], place, multiply(axis_angle([0, 0, 1], turn), sorter))
    for _ in range(frames):
        scene.step_frame(scene.arm_q(), 0.04)


@pytest.mark.parametrize("variation", range(5))
def test_the_expert_sorts_every_shape(scene, variation):
    from robotr1.demos.tabletop.expert import demonstrate

    scene.reset(np.random.default_rng(5), variation=variation)
    assert all(SHAPES[variation] in text for text in scene.task.instructions(variation))
    others = {name: scene.body_pose(name)[:3] for name in np.delete(SHAPES, variation)}
    demonstrate(scene)
    assert scene.task.success(scene)
    shape, hole = scene.positions()
    assert shape[2] < hole[2] - 0.03
    for name, place in others.items():
        np.testing.assert_allclose(scene.body_pose(name)[:3], place, atol=2e-3, err_msg=name)


@pytest.mark.parametrize("variation", range(5))
def test_every_shape_falls_through_its_hole_when_let_go_a_little_beside(scene, variation):
    scene.reset(np.random.default_rng(3), variation=variation)
    let_fall(scene, shift=(0.003, -0.003))
    assert scene.task.success(scene)


@pytest.mark.parametrize("case", [{"shift": (0.042, 0.0)}, {"shift": (0.0, 0.041)}, {"turn": np.pi / 4}])
def test_a_shape_on_the_lid_is_not_sorted(scene, case):
    let_fall(scene, **case)
    shape, hole = scene.positions()
    assert scene.objects_rest()
    assert shape[2] > hole[2]
    assert not scene.task.success(scene)


def test_a_shape_in_the_gripper_or_on_the_table_is_not_sorted(scene):
    from robotr1.demos.tabletop.engine import mujoco

    assert not scene.task.success(scene)
    let_fall(scene)
    assert scene.task.success(scene)
    scene.set_gripper(0.5)
    assert not scene.task.success(scene)
    scene.reset(np.random.default_rng(3))
    scene.set_arm(scene.solve_ik(scene.task.waypoints(scene)[-1].pose))
    scene.task.hold(scene)
    mujoco.mj_forward(scene.model, scene.data)
    assert np.linalg.norm(scene.positions()[0] - scene.tip_pose()[:3]) < 0.01
    assert scene.data.contact.dist.min(initial=0) > -0.002
    assert not scene.task.success(scene)


@given(seed=st.integers(0, 10**6))
@relaxed
def test_shapes_stand_apart_and_the_camera_sees_them_and_the_sorter(scenes, seed):
    scene = scenes("place_shape_in_shape_sorter")
    scene.reset(np.random.default_rng(seed))
    assert scene.data.contact.dist.min(initial=0) > -0.001
    places = np.array([scene.body_pose(name)[:2] for name in SHAPES])
    assert (np.linalg.norm(places[:, None] - places, axis=-1) + np.eye(5)).min() > 0.1
    mask = scene.mask()  # 112 x 112
    for name in SHAPES:
        assert (mask == scene.model.geom(name).id + 1).sum() >= 12, name
        assert (mask == scene.model.geom(f"{name}_hole").id + 1).sum() >= 6, name
    sorter = [g + 1 for g in range(scene.model.ngeom) if scene.model.body(scene.model.geom_bodyid[g]).name == "sorter"]
    shown = [*sorter, *(scene.model.geom(name).id + 1 for name in SHAPES)]
    assert not np.isin(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]), shown).any()
