from dataclasses import replace

import numpy as np
import pytest

from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.world import TABLE_HEIGHT

EDGE = 0.056


@pytest.fixture
def scene(scenes):
    scene = scenes("stack_blocks")
    scene.reset(np.random.default_rng(3), variation=0)
    yield scene
    scene.reset(np.random.default_rng(3), variation=0)


def follow(scene, monkeypatch, waypoints):
    """Let the expert follow other waypoints than the task's."""
    from robotr1.demos.tabletop.expert import demonstrate

    monkeypatch.setattr(scene.task, "waypoints", lambda scene: waypoints)
    return demonstrate(scene)


@pytest.mark.parametrize(("variation", "color", "height"), [(0, "red", 2), (13, "blue", 3), (59, "white", 4)])
def test_variations_choose_color_and_height(scene, variation, color, height):
    from robotr1.demos.tabletop.expert import demonstrate

    scene.reset(np.random.default_rng(1), variation=variation)
    painted = [scene.model.geom(f"block{block}_face0").rgba for block in range(6)]
    alike = [np.allclose(paint, colors.paint(color), atol=1e-6) for paint in painted]
    assert alike == [True] * height + [False] * (6 - height)
    number = {2: "two", 3: "three", 4: "four"}[height]
    assert all(color in text and number in text for text in scene.task.instructions(variation))
    waypoints = scene.task.waypoints(scene)
    assert [waypoint.subtask for waypoint in waypoints] == list(scene.task.plan)
    assert len(waypoints) == 6 * height - 1
    assert not scene.task.success(scene)
    demonstrate(scene)
    assert scene.task.success(scene)
    middles = np.array([scene.body_pose(f"block{block}")[:3] for block in range(height)])
    np.testing.assert_allclose(np.diff(middles[:, 2]), EDGE, atol=0.003)
    assert np.ptp(middles[:, :2], axis=0).max() < 0.01


def test_block_and_platform_are_the_next_ones(scene):
    """They change where a block is let go, and stay at the last block when the tower is done."""
    from robotr1.demos.tabletop.expert import demonstrate

    first, second = (scene.body_pose(f"block{block}")[:3] for block in range(2))
    platform = scene.body_pose("platform")[:3]
    recording = demonstrate(scene)
    block, goal = np.array(recording.positions).reshape(len(recording), 2, 3).transpose(1, 0, 2)
    placed = recording.keyframes[4]
    np.testing.assert_allclose(block[0], first, atol=1e-3)
    np.testing.assert_allclose(goal[:placed], np.tile(platform + [0, 0, 0.006], (placed, 1)), atol=1e-6)
    carried = recording.keyframes[3]
    assert np.linalg.norm(block[carried] - recording.gripper_pose[carried][:3]) < 0.01
    np.testing.assert_allclose(block[placed], second, atol=2e-3)
    np.testing.assert_allclose(goal[placed:, 2], TABLE_HEIGHT + 0.006 + EDGE, atol=1e-6)
    np.testing.assert_allclose(block[-1] - goal[-1], [0, 0, EDGE / 2], atol=0.006)


def test_the_nearer_block_comes_first(scene):
    for seed in range(40):
        scene.reset(np.random.default_rng(seed), variation=2)
        platform = scene.body_pose("platform")[:2]
        places = np.array([scene.body_pose(f"block{block}")[:2] for block in range(6)])
        ways = np.linalg.norm(places - platform, axis=1)
        assert (np.diff(ways[:4]) > 0.02).all()
        assert ways.min() > 0.16
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1)[np.triu_indices(6, 1)]
        assert apart.min() > 0.1


def test_a_tower_with_a_block_missing_does_not_count(scene, monkeypatch):
    from robotr1.demos.tabletop.expert import AttemptFailed

    waypoints = scene.task.waypoints(scene)[:5]
    with pytest.raises(AttemptFailed, match="not done"):
        follow(scene, monkeypatch, waypoints)
    assert scene.body_pose("block0")[2] == pytest.approx(TABLE_HEIGHT + 0.006 + EDGE / 2, abs=0.002)


def test_a_block_of_another_color_does_not_count(scene, monkeypatch):
    """The same tower with a distractor on top, then the same with a distractor below."""
    from robotr1.demos.tabletop.expert import AttemptFailed

    for block, level in ((1, 1), (0, 0)):
        scene.reset(np.random.default_rng(3))
        poses = [scene.body_pose(f"block{number}") for number in (block, 2)]

        def put(first, second, block=block):
            scene.set_body(f"block{block}", first[:3], first[3:])
            scene.set_body("block2", second[:3], second[3:])
            scene.set_arm(scene.arm_q())

        put(*reversed(poses))
        waypoints = type(scene.task).waypoints(scene.task, scene)
        put(*poses)
        with pytest.raises(AttemptFailed, match="not done"):
            follow(scene, monkeypatch, waypoints)
        stands = scene.body_pose("block2")[:3] - scene.body_pose("platform")[:3]
        np.testing.assert_allclose(stands, [0, 0, 0.006 + (level + 0.5) * EDGE], atol=0.008)


def test_a_block_still_held_does_not_count(scene, monkeypatch):
    from robotr1.demos.tabletop.expert import AttemptFailed

    *way, place = scene.task.waypoints(scene)
    with pytest.raises(AttemptFailed, match="not done"):
        follow(scene, monkeypatch, [*way, replace(place, gripper=None)])
    assert scene.body_pose("block1")[2] == pytest.approx(TABLE_HEIGHT + 0.006 + 1.5 * EDGE, abs=0.003)


def test_holding_puts_the_next_block_between_the_fingers(scene):
    scene.set_arm(scene.solve_ik(scene.task.waypoints(scene)[3].pose))
    scene.task.hold(scene)
    scene.set_arm(scene.arm_q())
    np.testing.assert_allclose(scene.positions()[0], scene.tip_pose()[:3], atol=1e-6)
    np.testing.assert_allclose(scene.body_pose("block0")[:3], scene.tip_pose()[:3], atol=1e-6)
    assert scene.data.contact.dist.min(initial=0) > -0.002
