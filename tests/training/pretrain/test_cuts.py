import numpy as np
import pytest
import torch

from robotr1.policies.tiny import IMAGE_SIZE
from robotr1.training.pretrain import cuts
from robotr1.training.pretrain.tower import CELL

COUNT = 200


@pytest.fixture
def data() -> dict[str, np.ndarray]:
    """Snapshots whose tip is a white pixel in a black image; every other task has one object."""
    rng = np.random.default_rng(0)
    tips, objects = rng.random((COUNT, 2)) * 0.999, rng.random((COUNT, 2, 2)) * 0.999
    objects[::2, 1] = np.nan
    images = np.zeros((COUNT, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    columns, rows = (tips * IMAGE_SIZE).astype(int).T
    images[np.arange(COUNT), rows, columns] = 255
    flags = {name: rng.random(COUNT) < 0.5 for name in ("open", "held")}
    return {"images": images, "gripper_pixel": tips, "object_pixels": objects, **flags}


@pytest.mark.parametrize("step", [1, CELL])
def test_windows_are_inside_the_image_and_show_one_of_the_points(data, step):
    points = cuts.snapshot_points(data, np.arange(COUNT))
    corners = cuts.sample_corners(points, np.random.default_rng(1), step)
    assert (corners % step == 0).all()
    assert (corners >= 0).all() and (corners + cuts.WINDOW <= IMAGE_SIZE).all()
    away = points - corners[:, None]
    assert ((away >= 0) & (away < cuts.WINDOW)).all(-1).any(1).all()


def test_a_cut_shows_the_tip_where_its_target_says(data):
    chosen = np.arange(COUNT)
    corners = cuts.sample_corners(cuts.snapshot_points(data, chosen), np.random.default_rng(2))
    targets, images = cuts.window_targets(data, chosen, corners), cuts.cut(data["images"], corners)
    assert images.shape == (COUNT, cuts.WINDOW, cuts.WINDOW, 3)
    seen = images[..., 0].any(axis=(1, 2))
    np.testing.assert_array_equal(seen, ~targets.points[:, 0].isnan().any(-1).numpy())
    assert 0.5 < seen.mean() < 1
    for image, point in zip(images[seen], targets.points[seen, 0].numpy(), strict=True):
        column, row = (point * cuts.WINDOW + 1e-4).astype(int)
        assert image[row, column, 0] == 255


def test_flags_are_asked_only_where_the_tip_is_seen(data):
    chosen = np.arange(COUNT)
    targets = cuts.window_targets(data, chosen, np.zeros((COUNT, 2), int))
    seen = (data["gripper_pixel"] * IMAGE_SIZE < cuts.WINDOW).all(1)
    assert targets.flags[~seen].isnan().all()
    np.testing.assert_array_equal(targets.flags[seen].numpy()[:, 0] == 1, data["open"][seen])
    assert targets.points[::2, 2].isnan().all()  # no second object


def test_a_window_of_a_whole_image_has_the_tokens_of_its_cells():
    side = IMAGE_SIZE // CELL
    tokens = torch.arange(side * side).reshape(1, -1, 1).repeat(2, 1, 3)
    window = cuts.window_tokens(tokens, np.array([[0, 0], [CELL, 3 * CELL]]))
    assert window[:, :, 0].tolist() == [
        [0, 1, side, side + 1],
        [3 * side + 1, 3 * side + 2, 4 * side + 1, 4 * side + 2],
    ]


def test_the_loss_counts_only_what_has_a_target(data):
    chosen = np.arange(COUNT)
    targets = cuts.window_targets(data, chosen, np.zeros((COUNT, 2), int))
    points = torch.where(targets.points.isnan(), 7.0, targets.points)
    flags = torch.where(targets.flags.isnan(), 7.0, 40 * targets.flags - 20)
    assert cuts.window_loss((points, flags), targets) < 1e-6
    assert cuts.window_loss((points + 0.1, flags), targets) == pytest.approx(0.2, abs=1e-5)
