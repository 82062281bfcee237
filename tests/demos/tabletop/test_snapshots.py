import numpy as np
import pytest

from robotr1.demos.tabletop.tasks import TASKS, load_task


@pytest.mark.parametrize("task", TASKS)
def test_a_seed_names_one_image_in_any_order(panda, task):
    from robotr1.demos.tabletop.snapshots import random_snapshot

    image, facts = random_snapshot(task, np.random.default_rng(3), 64)
    random_snapshot(task, np.random.default_rng(4), 64)
    again, same = random_snapshot(task, np.random.default_rng(3), 64)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(facts["gripper"], same["gripper"])
    assert image.shape == (64, 64, 3)
    assert image.dtype == np.uint8
    assert isinstance(facts["open"], bool) and isinstance(facts["held"], bool)
    assert not (facts["open"] and facts["held"])
    assert facts["task"] == task


@pytest.mark.parametrize("task", TASKS)
def test_snapshots_cover_open_closed_near_and_held(scenes, task):
    from robotr1.demos.tabletop.snapshots import pose_randomly

    scene = scenes(task)
    tips, objects, opened = [], [], []
    for seed in range(120):
        pose_randomly(scene, np.random.default_rng(seed))
        tips.append(scene.tip_pose()[:3])
        objects.append(scene.positions()[0])
        opened.append(scene.gripper_open_amount() > 0.9)
    tips, objects = np.array(tips), np.array(objects)
    assert (tips[:, 2] > 0.765).all()
    assert (tips.std(axis=0) > [0.1, 0.12, 0.1]).all()
    assert 0.2 < np.mean(opened) < 0.8
    near = np.linalg.norm(tips - objects, axis=1) < 0.06
    assert 0.08 < near.mean() < 0.75  # most moments of a plan that carries something
    carried = (np.linalg.norm(tips - objects, axis=1) < 0.06) & (objects[:, 2] > 0.95)
    assert (carried.mean() > 0.05) == scene.task.can_hold


@pytest.mark.parametrize("task", TASKS)
def test_waypoints_are_those_of_the_placement_and_the_due_one_is_not_done(panda, task):
    """The tip is on the way to the waypoint that is due, or at the one before."""
    from robotr1.demos.tabletop.snapshots import NO_STEP, random_snapshot

    plan, due = load_task(task).plan, []
    for seed in range(25):
        _, facts = random_snapshot(task, np.random.default_rng(seed), 32)
        assert facts["waypoints"].shape == (len(plan), 3)
        due.append(facts["due"])
        if facts["due"] > 0:
            start, end = facts["waypoints"][facts["due"] - 1 : facts["due"] + 1]
            share = np.clip((facts["gripper"] - start) @ (end - start) / max((end - start) @ (end - start), 1e-9), 0, 1)
            assert np.linalg.norm(start + share * (end - start) - facts["gripper"]) < 0.15
    assert set(due) <= {NO_STEP, *range(len(plan))}
    assert NO_STEP in due and len(set(due)) > 2


@pytest.mark.parametrize("task", TASKS)
def test_pixels_and_boxes_show_where_objects_are(panda, task):
    from robotr1.demos.tabletop.snapshots import random_snapshot

    inside = []
    for seed in range(12):
        _, facts = random_snapshot(task, np.random.default_rng(seed), 96)
        assert ((facts["gripper_pixel"] >= 0) & (facts["gripper_pixel"] < 1)).all()
        assert 0 <= facts["finger_pixels"] < 0.05
        for pixel, box in zip(facts["object_pixels"], facts["boxes"], strict=True):
            if not np.isnan(box).any():
                assert (box[:2] < box[2:]).all() and (box >= 0).all() and (box <= 1).all()
                inside.append(((pixel > box[:2] - 0.04) & (pixel < box[2:] + 0.04)).all())
    assert np.mean(inside) > 0.85


def test_the_first_block_stands_in_the_tower_while_the_second_is_due(panda):
    from robotr1.demos.tabletop.snapshots import random_snapshot

    facts = [random_snapshot("stack_blocks", np.random.default_rng(seed), 32)[1] for seed in range(60)]
    height = {
        late: [fact["objects"][1, 2] for fact in facts if fact["due"] >= 0 and (fact["due"] > 4) == late]
        for late in (False, True)
    }
    assert len(height[False]) > 5 and len(height[True]) > 5
    assert max(height[False]) + 0.05 < min(height[True])
