import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from robotr1.demos.images import project
from robotr1.demos.tabletop.tasks import OBJECTS, TASKS, load_task

relaxed = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a seed takes minutes and tells nothing
)
seeds = st.integers(0, 10**6)


def test_names_do_not_need_the_simulator():
    code = "from robotr1.demos.tabletop.tasks import OBJECTS; import sys; sys.exit('mujoco' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", TASKS)
def test_words_of_a_task(name):
    task = load_task(name)
    assert task.name == name
    assert task.objects == OBJECTS[name]
    instructions = task.instructions(0)
    assert len(set(instructions)) >= 3
    assert all(text == text.lower().strip() for text in instructions)


@pytest.mark.parametrize("name", TASKS)
@given(seed=seeds)
@relaxed
def test_placements_can_be_seen_and_reached(scenes, name, seed):
    """All objects are inside the workspace and the front image, and the tip reaches each waypoint from the last."""
    from robotr1.demos.tabletop.cameras import misc
    from robotr1.demos.tabletop.world import TABLE_HEIGHT, WORKSPACE_X, WORKSPACE_Y

    scene = scenes(name)
    scene.reset(np.random.default_rng(seed))
    places = scene.positions()
    assert places.shape == (len(scene.task.objects), 3)
    for place in places:
        assert WORKSPACE_X[0] + 0.05 < place[0] < WORKSPACE_X[1] - 0.05
        assert WORKSPACE_Y[0] + 0.05 < place[1] < WORKSPACE_Y[1] - 0.05
        assert TABLE_HEIGHT < place[2] < TABLE_HEIGHT + 0.2
    values = misc(scene.data, 100)
    pixels = project(places, values["front_camera_intrinsics"], values["front_camera_extrinsics"])
    assert (pixels > 3).all()
    assert (pixels < 97).all()
    assert not scene.task.success(scene)
    waypoints, q = scene.task.waypoints(scene), None
    assert len(waypoints) == len(scene.task.plan)
    assert [waypoint.subtask for waypoint in waypoints] == list(scene.task.plan)
    for waypoint in waypoints:
        q = scene.solve_ik(waypoint.pose, q)
        assert q is not None, waypoint.name
        assert waypoint.pose[2] > TABLE_HEIGHT


@given(seed=seeds)
@relaxed
def test_cups_stand_apart_and_differ_in_color(scenes, seed):
    scene = scenes("pick_up_cup")
    scene.reset(np.random.default_rng(seed))
    distance = np.linalg.norm(scene.body_pose("cup")[:2] - scene.body_pose("other_cup")[:2])
    assert distance > 0.15
    colors = [scene.model.geom(f"{cup}_bowl").rgba[:3] for cup in ("cup", "other_cup")]
    assert np.linalg.norm(colors[0] - colors[1]) > 0.5


def test_variations_choose_the_color(scenes):
    scene = scenes("push_button")
    scene.reset(np.random.default_rng(0), variation=4)
    assert "blue" in scene.task.instructions(4)[0]
    assert scene.model.geom("cap").rgba[2] > 0.8
    scene.reset(np.random.default_rng(0), variation=0)
    assert scene.model.geom("cap").rgba[0] > 0.8


def test_pressing_lights_the_lamp_and_releasing_does_not_put_it_out(scenes):
    scene = scenes("lamp_on")
    scene.reset(np.random.default_rng(0))
    dark = scene.model.geom("bulb").rgba.copy()
    above, press = (scene.solve_ik(waypoint.pose) for waypoint in scene.task.waypoints(scene))
    scene.set_arm(above)
    scene.set_gripper(0.0)
    for share in (*np.linspace(0, 1, 12), *np.linspace(1, 0, 12)):
        scene.step_frame(above + share * (press - above), 0.0)
    assert scene.task.success(scene)
    assert scene.data.joint("cap").qpos[0] < 0.004
    assert (scene.model.geom("bulb").rgba != dark).any()
    scene.reset(np.random.default_rng(0))
    np.testing.assert_array_equal(scene.model.geom("bulb").rgba, dark)


@pytest.mark.parametrize("name", ["pick_up_cup", "take_lid_off_saucepan"])
def test_holding_puts_the_object_between_the_fingers(scenes, name):
    from robotr1.demos.tabletop.engine import mujoco

    scene = scenes(name)
    scene.reset(np.random.default_rng(0))
    scene.set_arm(scene.solve_ik(scene.task.waypoints(scene)[-1].pose))
    scene.task.hold(scene)
    mujoco.mj_forward(scene.model, scene.data)
    assert np.linalg.norm(scene.positions()[0] - scene.tip_pose()[:3]) < 0.05
    assert scene.data.contact.dist.min(initial=0) > -0.002
    assert scene.task.success(scene)
