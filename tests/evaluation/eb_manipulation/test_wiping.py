"""The wiping scene in the real simulator."""

from dataclasses import replace

import numpy as np
import pytest

from robotr1.demos.tabletop.motion import straight_line
from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.evaluation.eb_manipulation.agents import oracle_agent, random_agent
from robotr1.evaluation.eb_manipulation.controls import check_controls
from robotr1.evaluation.eb_manipulation.results import SUBSETS
from robotr1.evaluation.eb_manipulation.run import run_agent
from robotr1.evaluation.eb_manipulation.wiping import AREA, CLEAN, DIRECTIONS, DIRT, NEAR, WipeTable

pytestmark = pytest.mark.usefixtures("simulator")
TABLE = 0.75


@pytest.fixture(scope="module")
def compiled():
    from robotr1.demos.tabletop.scene import TabletopScene

    scene = TabletopScene(WipeTable(), np.random.default_rng(0), image_size=112)
    yield scene
    scene.close()


@pytest.fixture(params=DIRECTIONS)
def scene(compiled, request):
    compiled.reset(np.random.default_rng(3), variation=list(DIRECTIONS).index(request.param))
    return compiled


def follow(scene, monkeypatch, waypoints):
    """Let the expert follow other waypoints, which do not complete the task."""
    from robotr1.demos.tabletop.expert import AttemptFailed, demonstrate

    with monkeypatch.context() as patch:
        patch.setattr(scene.task, "waypoints", lambda scene: waypoints)
        with pytest.raises(AttemptFailed, match="not done"):
            demonstrate(scene)


def moved(waypoint, by):
    return replace(waypoint, pose=waypoint.pose + [*by, 0, 0, 0, 0])


def other(scene):
    return next(direction for direction in DIRECTIONS if direction != scene.task.target)


def put_over(scene, direction, share, height):
    """The sponge `share` of the way from the area's middle to its end, its lower face `height` above the table."""
    area, sponge = scene.body_pose(direction), scene.model.geom("sponge").size
    along = np.array([1 - 2 * area[5] ** 2, 2 * area[5] * area[6]])
    scene.set_body("sponge", [*(area[:2] + share * AREA[0] * along), TABLE + height + sponge[2]], area[3:])
    scene.set_arm(scene.arm_q())
    scene.task.update(scene)


def shown(scene):
    return np.mean([scene.model.geom(f"{scene.task.target}_spot{spot}").rgba[3] for spot in range(DIRT)])


def test_it_is_no_task_of_the_study():
    assert WipeTable.name not in OBJECTS


def test_the_expert_wipes_the_named_area_and_leaves_the_other(scene):
    from robotr1.demos.tabletop.expert import demonstrate

    assert scene.task.wiped() == dict.fromkeys(DIRECTIONS, 0.0) and not scene.task.success(scene)
    assert [waypoint.subtask for waypoint in scene.task.waypoints(scene)] == list(scene.task.plan)
    demonstrate(scene)
    assert scene.task.success(scene)
    assert scene.task.wiped()[scene.task.target] > 0.9 and scene.task.wiped()[other(scene)] == 0


def test_wiped_spots_vanish_from_the_image_and_restoring_the_state_restores_them(scene):
    before, state = scene.render(), scene.save_state()
    put_over(scene, scene.task.target, 0.0, 0.0)
    share = scene.task.wiped()[scene.task.target]
    assert 0 < share < CLEAN  # once is not enough
    after = scene.save_state()
    scene.restore_state(state)
    np.testing.assert_array_equal(scene.render(), before)
    assert shown(scene) == 1
    scene.restore_state(after)
    assert shown(scene) == pytest.approx(1 - share)


def test_dirt_is_dark_on_both_areas(scene):
    """Dirt darkens the front image of each area."""
    clean = {direction: np.ones(DIRT, bool) for direction in DIRECTIONS}
    dirty = scene.render().astype(int)
    scene.task.restore(scene, clean)
    wiped = scene.render().astype(int)
    changed = np.abs(dirty - wiped).max(axis=2) > 40
    assert changed.sum() > 30 and (dirty[changed].sum(axis=1) < wiped[changed].sum(axis=1)).all()


def test_only_a_sponge_near_the_table_wipes(scene):
    for height, wipes in ((0.0, True), (0.9 * NEAR, True), (1.5 * NEAR, False), (0.1, False)):
        scene.reset(np.random.default_rng(3))
        put_over(scene, scene.task.target, 0.5, height)
        assert (scene.task.wiped()[scene.task.target] > 0) == wipes, height


def test_a_sponge_carried_over_the_area_does_not_wipe(scene, monkeypatch):
    *way, lower, wipe = scene.task.waypoints(scene)
    follow(scene, monkeypatch, [*way, moved(lower, (0, 0, 0.03)), moved(wipe, (0, 0, 0.03))])
    assert scene.task.wiped() == dict.fromkeys(DIRECTIONS, 0.0)


def test_a_hand_without_sponge_does_not_wipe(scene, monkeypatch):
    follow(scene, monkeypatch, scene.task.waypoints(scene)[3:])
    assert scene.task.wiped() == dict.fromkeys(DIRECTIONS, 0.0)


def test_wiping_the_other_area_does_not_count_nor_does_wiping_both(scene, monkeypatch):
    asked = scene.task.target
    scene.task.target = other(scene)
    wrong = scene.task.waypoints(scene)
    scene.task.target = asked
    right = scene.task.waypoints(scene)
    follow(scene, monkeypatch, wrong)
    assert scene.task.wiped()[other(scene)] > 0.9 and not scene.task.success(scene)
    pose, q = wrong[-1].pose, scene.arm_q()
    for waypoint in (moved(wrong[-1], (0, 0, 0.1)), *right[3:]):  # with the sponge still in the gripper
        for target in straight_line(pose, waypoint.pose, 0.05):
            q = scene.solve_ik(target, q)
            scene.step_frame(q, 0.0)
        pose = waypoint.pose
    assert scene.task.wiped()[asked] > 0.9 and not scene.task.success(scene)


def test_placements_are_visible_and_apart(compiled):
    for seed in range(40):
        compiled.reset(np.random.default_rng(seed), variation=seed % 2)
        areas = [compiled.body_pose(direction) for direction in DIRECTIONS]
        assert abs(areas[0][1] - areas[1][1]) > 0.09
        turns = np.degrees([2 * np.arctan2(area[5], area[6]) for area in areas])
        assert abs(turns[0] - 90) <= 22.5 + 1e-6 and abs(turns[1]) <= 22.5 + 1e-6
        paints = [compiled.model.geom(f"{direction}_area").rgba[:3] for direction in DIRECTIONS]
        assert np.linalg.norm(paints[0] - paints[1]) > 0.5
        sponge = compiled.body_pose("sponge")[:3]
        assert min(np.linalg.norm(sponge[:2] - area[:2]) for area in areas) > 0.12
        assert compiled.data.contact.dist.min(initial=0) > -0.001


def test_the_oracle_completes_all_wordings_and_random_actions_none():
    where = {"tasks": ["wipe_table"], "image_size": 64}
    best = run_agent(oracle_agent(), 2, 5, **where)
    worst = run_agent(random_agent(5), 1, 5, **where)
    check_controls(best, worst)
    for played in (best, worst):
        assert {one.subset for one in played} == set(SUBSETS)
    assert all(one.success and one.steps == 6 and one.unreachable == 0 for one in best)
    assert not any(one.success for one in worst)
