import numpy as np
import pytest

from robotr1.demos.episode import read_episode
from robotr1.demos.images import project
from robotr1.demos.tabletop.cameras import CAMERAS, misc, render
from robotr1.demos.tabletop.world import TABLE_HEIGHT, TABLE_X, TABLE_Y


@pytest.mark.parametrize("name", ["front", "overhead", "left_shoulder", "right_shoulder", "wrist"])
def test_cameras_stand_where_rlbench_recorded_them(scenes, real_folder, name):
    recorded = read_episode(real_folder)
    scene = scenes("push_button")
    scene.reset(np.random.default_rng(0))
    scene.set_arm(recorded.joint_positions[0])
    (intrinsics, extrinsics), ours = recorded.camera(name, 0), misc(scene.data, 128)
    np.testing.assert_allclose(ours[f"{name}_camera_extrinsics"], extrinsics, atol=2e-3)
    np.testing.assert_allclose(ours[f"{name}_camera_intrinsics"], intrinsics, atol=1e-3)
    assert ours[f"{name}_camera_far"] == CAMERAS[name].far


def test_a_point_straight_ahead_is_in_the_middle():
    camera = CAMERAS["front"]
    extrinsics = np.eye(4)
    extrinsics[:3, :3], extrinsics[:3, 3] = camera.rotation, camera.position
    ahead = np.array(camera.position) + 2 * camera.rotation[:, 2]
    to_the_right, above = ahead + [0, 0.1, 0], ahead + 0.1 * camera.rotation[:, 1]
    pixels = project(np.array([ahead, to_the_right, above]), camera.intrinsics(128), extrinsics)
    np.testing.assert_allclose(pixels[0], [64, 64])
    assert pixels[1, 0] > 64
    assert pixels[2, 1] < 64


@pytest.mark.parametrize("camera", ["front", "left_shoulder", "right_shoulder", "wrist"])
def test_the_button_is_drawn_where_it_projects(scenes, camera):
    """Red pixels lie around the projected middle of the red cap, in each camera that sees it."""
    scene = scenes("push_button")
    scene.reset(np.random.default_rng(4))
    top = scene.positions()[0]
    if camera == "wrist":
        scene.set_arm(scene.solve_ik(scene.task.waypoints(scene)[0].pose))
    else:
        scene.data.qpos[scene.model.joint("joint1").qposadr[0]] = 2.5  # turn the arm out of sight
        scene.set_arm(scene.arm_q())
    image = scene.render(camera).astype(int)
    red = np.argwhere((image[..., 0] > 110) & (image[..., 1] < 60) & (image[..., 2] < 60))
    assert len(red) > 10
    values = misc(scene.data, scene.image_size)
    pixel = project(top[None], values[f"{camera}_camera_intrinsics"], values[f"{camera}_camera_extrinsics"])[0]
    allowed = 25 if camera == "wrist" else 3  # near the wrist, fingers hide a part of the cap
    assert np.linalg.norm(red.mean(axis=0)[::-1] - pixel) < allowed


def test_one_image_drawn_alone_is_the_same(scenes):
    scene = scenes("push_button")
    scene.reset(np.random.default_rng(1))
    np.testing.assert_array_equal(render(scene.model, scene.data, "overhead", 112), scene.render("overhead"))


@pytest.mark.parametrize("camera", CAMERAS)
def test_depths_and_masks_put_the_table_where_it_is(scenes, camera):
    """Pixels whose mask says table, brought back to the world by their depth, lie on the table's top or its edge."""
    scene = scenes("push_button")
    scene.reset(np.random.default_rng(0))
    depth, shapes = scene.depth(camera), scene.mask(camera)
    table = shapes == scene.model.geom("table").id + 1
    assert table.sum() > 200
    values = misc(scene.data, scene.image_size)
    intrinsics, extrinsics = (values[f"{camera}_camera_{name}"] for name in ("intrinsics", "extrinsics"))
    v, u = np.argwhere(table).T + 0.5  # middles of the pixels
    rays = np.linalg.inv(intrinsics) @ [u, v, np.ones_like(u)]
    points = extrinsics[:3, :3] @ (rays * depth[table]) + extrinsics[:3, 3:]
    on_top = np.abs(points[2] - TABLE_HEIGHT) < 0.002
    assert on_top.mean() > 0.97
    assert ((points[0] > TABLE_X[0] - 0.01) & (points[0] < TABLE_X[1] + 0.01)).all()
    assert ((points[1] > TABLE_Y[0] - 0.01) & (points[1] < TABLE_Y[1] + 0.01)).all()
