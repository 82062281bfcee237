import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

relaxed = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LEVELS = ("bottom", "middle", "top")


@pytest.fixture
def scene(scenes):
    scene = scenes("open_drawer")
    scene.reset(np.random.default_rng(3), variation=0)
    yield scene
    scene.reset(np.random.default_rng(3), variation=0)


def pulled(scene) -> np.ndarray:
    """Metres that each drawer, from below, is open."""
    return np.array([scene.data.joint(f"{level}_drawer").qpos[0] for level in LEVELS])


@pytest.mark.parametrize("variation", range(3))
def test_the_expert_opens_the_named_drawer_and_no_other(scene, variation):
    from robotr1.demos.tabletop.expert import demonstrate

    scene.reset(np.random.default_rng(5), variation=variation)
    assert all(LEVELS[variation] in text for text in scene.task.instructions(variation))
    handle = scene.positions()[0]
    demonstrate(scene)
    assert scene.task.success(scene)
    assert pulled(scene)[variation] > 0.1
    assert np.delete(pulled(scene), variation).max() < 0.002
    assert np.linalg.norm(scene.positions()[0] - handle) == pytest.approx(pulled(scene)[variation], abs=1e-4)
    assert np.linalg.norm(scene.positions()[0] - scene.tip_pose()[:3]) < 0.02


def test_half_open_or_another_drawer_is_not_success(scene):
    from robotr1.demos.tabletop.engine import mujoco

    for level, travel, done in (("bottom", 0.06, False), ("top", 0.12, False), ("bottom", 0.12, True)):
        scene.reset(np.random.default_rng(3))
        scene.data.joint(f"{level}_drawer").qpos[0] = travel
        mujoco.mj_forward(scene.model, scene.data)
        assert scene.task.success(scene) is done


def test_fingers_that_stay_open_pull_nothing(scene):
    """The drawer is held by friction alone: the same way without the grasp leaves it shut."""
    q, fingers = None, 0.04
    for waypoint in scene.task.waypoints(scene):
        start, q = q, scene.solve_ik(waypoint.pose, q)
        if start is None:
            scene.set_arm(q)
            continue
        for share in np.linspace(0, 1, 15):
            scene.step_frame(start + share * (q - start), fingers)
    assert pulled(scene).max() < 0.01
    assert not scene.task.success(scene)


def test_a_drawer_stays_where_it_was_left(scene):
    scene.data.joint("bottom_drawer").qpos[0] = 0.05
    for _ in range(20):
        scene.step_frame(scene.arm_q(), 0.04)
    assert pulled(scene)[0] == pytest.approx(0.05, abs=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_without_physics_the_drawer_follows_closed_fingers(scene, share):
    from robotr1.demos.tabletop.engine import mujoco

    _, grasp, pull = (waypoint.pose for waypoint in scene.task.waypoints(scene))
    scene.set_arm(scene.solve_ik(grasp + share * (pull - grasp)))
    for amount, travel in ((1.0, 0.0), (0.0, share * 0.12)):
        scene.set_gripper(amount)
        scene.task.yield_to_tip(scene)
        mujoco.mj_forward(scene.model, scene.data)
        assert pulled(scene)[0] == pytest.approx(travel, abs=1e-3)
    assert scene.gripper_open_amount() == pytest.approx(0.25)
    assert scene.data.contact.dist.min(initial=0) > -0.002
    assert scene.task.success(scene) == (share == 1.0)


@given(seed=st.integers(0, 10**6))
@relaxed
def test_the_whole_cabinet_and_all_handles_are_in_the_picture(scenes, seed):
    scene = scenes("open_drawer")
    scene.reset(np.random.default_rng(seed))
    mask = scene.mask()  # 112 x 112
    bodies = {f"{level}_drawer" for level in LEVELS} | {"cabinet"}
    ids = [g + 1 for g in range(scene.model.ngeom) if scene.model.body(scene.model.geom_bodyid[g]).name in bodies]
    assert np.isin(mask, ids).sum() > 300
    assert not np.isin(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]), ids).any()
    for level in LEVELS:
        assert (mask == scene.model.geom(f"{level}_bar").id + 1).sum() >= 6
        assert (mask == scene.model.geom(f"{level}_front").id + 1).sum() >= 30
