import numpy as np
import pytest

from robotr1.training.pretrain.image_head import FLAGS, image_loss, image_targets


def test_targets_are_the_facts(snapshots):
    targets = image_targets(snapshots, np.array([3, 5]))
    np.testing.assert_allclose(targets.positions[:, :3].numpy(), snapshots["gripper"][[3, 5]], rtol=1e-6)
    np.testing.assert_allclose(targets.positions[:, 3:6].numpy(), snapshots["objects"][[3, 5], 0], rtol=1e-6)
    for index, flag in enumerate(FLAGS):
        np.testing.assert_array_equal(targets.flags[:, index].numpy() == 1, snapshots[flag][[3, 5]])


def test_the_loss_is_zero_for_the_truth_also_of_tasks_with_fewer_objects(snapshots):
    targets = image_targets(snapshots, np.arange(len(snapshots["images"])))
    assert targets.positions.isnan().any() and not targets.positions.isnan().all()
    positions, waves = targets.positions.nan_to_num(7.0), targets.waves.nan_to_num(7.0)
    flags = 40 * targets.flags - 20
    assert image_loss((positions, waves, flags), targets) < 1e-6
    assert image_loss((positions + 0.01, waves, flags), targets) == pytest.approx(0.03, rel=1e-3)
    assert image_loss((positions, waves + 0.1, flags), targets) == pytest.approx(0.01, rel=1e-3)
    assert image_loss((positions, waves, -flags), targets) > 1
