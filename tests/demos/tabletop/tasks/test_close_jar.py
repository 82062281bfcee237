from dataclasses import replace

import numpy as np
import pytest

from robotr1.demos.tabletop.tasks import colors


@pytest.fixture
def scene(scenes):
    scene = scenes("close_jar")
    scene.reset(np.random.default_rng(5))
    return scene


def follow(scene, monkeypatch, waypoints):
    """Let the expert follow other waypoints than the task's."""
    from robotr1.demos.tabletop.expert import demonstrate

    monkeypatch.setattr(scene.task, "waypoints", lambda scene: waypoints)
    return demonstrate(scene)


@pytest.mark.parametrize("variation", [0, 7, 19])
def test_the_expert_turns_the_lid_on_the_named_jar(scene, variation):
    from robotr1.demos.tabletop.expert import demonstrate

    scene.reset(np.random.default_rng(5), variation=variation)
    assert not scene.task.success(scene)
    np.testing.assert_allclose(scene.model.geom("jar_glass").rgba, colors.paint(colors.NAMES[variation]), atol=1e-6)
    assert all(colors.NAMES[variation] in text for text in scene.task.instructions(variation))
    demonstrate(scene)
    assert scene.task.success(scene)
    assert scene.task.turned == pytest.approx(np.pi / 2, abs=0.15)
    lid, mouth = scene.positions()
    assert np.linalg.norm(lid[:2] - mouth[:2]) < 0.006
    scene.reset(np.random.default_rng(5), variation=0)
    assert scene.task.turned == 0


def test_the_wrong_jar_does_not_count(scene, monkeypatch):
    from robotr1.demos.tabletop.expert import AttemptFailed

    jars = [scene.body_pose(name) for name in ("jar", "other_jar")]

    def put(first, second):
        scene.set_body("jar", first[:3], first[3:])
        scene.set_body("other_jar", second[:3], second[3:])
        scene.set_arm(scene.arm_q())

    put(*reversed(jars))
    waypoints = scene.task.waypoints(scene)
    put(*jars)
    with pytest.raises(AttemptFailed, match="not done"):
        follow(scene, monkeypatch, waypoints)
    lid = scene.body_pose("lid")
    assert np.linalg.norm(lid[:2] - jars[1][:2]) < 0.006
    assert lid[2] > jars[1][2] + 0.08


def test_a_lid_only_put_down_or_turned_back_does_not_count(scene, monkeypatch):
    from robotr1.demos.tabletop.expert import AttemptFailed

    *way, place, turn = scene.task.waypoints(scene)
    for wrong in ([replace(place, gripper=1.0)], [place, replace(turn, gripper=None), replace(place, gripper=1.0)]):
        scene.reset(np.random.default_rng(5))
        with pytest.raises(AttemptFailed, match="not done"):
            follow(scene, monkeypatch, [*way, *wrong])
        lid, mouth = scene.positions()
        assert np.linalg.norm(lid[:2] - mouth[:2]) < 0.006
        assert scene.task.turned < 0.2


def test_a_lid_still_held_does_not_count(scene, monkeypatch):
    from robotr1.demos.tabletop.expert import AttemptFailed

    *way, turn = scene.task.waypoints(scene)
    with pytest.raises(AttemptFailed, match="not done"):
        follow(scene, monkeypatch, [*way, replace(turn, gripper=None)])
    assert scene.task.turned > 1.4


def test_the_turn_starts_anew_when_the_lid_is_taken_off(scene):
    seat = scene.task.waypoints(scene)[4].pose
    scene.set_arm(scene.solve_ik(seat))
    scene.task.hold(scene)
    scene.set_arm(scene.arm_q())
    scene.task.update(scene)
    scene.task.turned = 1.5
    scene.task.update(scene)
    assert scene.task.turned == pytest.approx(1.5)
    pose = scene.body_pose("lid")
    scene.set_body("lid", pose[:3] + [0, 0, 0.05], pose[3:])
    scene.set_arm(scene.arm_q())
    scene.task.update(scene)
    assert scene.task.turned == 0


def test_holding_puts_the_knob_between_the_fingers(scene):
    scene.set_arm(scene.solve_ik(scene.task.waypoints(scene)[3].pose))
    scene.task.hold(scene)
    scene.set_arm(scene.arm_q())
    np.testing.assert_allclose(scene.positions()[0], scene.tip_pose()[:3], atol=1e-6)
    assert scene.data.contact.dist.min(initial=0) > -0.002
    assert scene.gripper_open_amount() < 0.9


def test_lid_and_jars_stand_apart(scene):
    for seed in range(40):
        scene.reset(np.random.default_rng(seed))
        places = np.array([scene.body_pose(name)[:2] for name in ("lid", "jar", "other_jar")])
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert np.linalg.norm(places[one] - places[other]) > 0.15
        painted = [scene.model.geom(f"{jar}_glass").rgba[:3] for jar in ("jar", "other_jar")]
        assert np.linalg.norm(painted[0] - painted[1]) > 0.5
