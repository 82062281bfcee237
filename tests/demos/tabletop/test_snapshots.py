import numpy as np
import pytest

from robotr1.demos.tabletop.tasks import TASKS


@pytest.mark.parametrize("task", TASKS)
def test_a_seed_names_one_picture_whatever_was_drawn_before(panda, task):
    from robotr1.demos.tabletop.snapshots import random_snapshot

    image, facts = random_snapshot(task, np.random.default_rng(3), 64)
    random_snapshot(task, np.random.default_rng(4), 64)
    again, same = random_snapshot(task, np.random.default_rng(3), 64)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(facts["gripper"], same["gripper"])
    assert image.shape == (64, 64, 3)
    assert image.dtype == np.uint8
    assert set(facts) == {"gripper", "objects", "open", "task"}
    assert isinstance(facts["open"], bool)
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
    assert 0.08 < near.mean() < 0.6
    carried = (np.linalg.norm(tips - objects, axis=1) < 0.06) & (objects[:, 2] > 0.95)
    assert (carried.mean() > 0.05) == scene.task.can_hold
