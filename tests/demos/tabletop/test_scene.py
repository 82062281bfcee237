import numpy as np
import pytest

from robotr1.demos.episode import read_episode
from robotr1.demos.poses import conjugate, multiply, rotation_vector
from robotr1.demos.tabletop import robot


def test_home_is_where_rlbench_has_it(scenes):
    scene = scenes("pick_up_cup")
    scene.reset(np.random.default_rng(0))
    np.testing.assert_allclose(scene.tip_pose()[:3], [0.2785, -0.0082, 1.4719], atol=2e-3)
    np.testing.assert_allclose(np.abs(scene.tip_pose()[3:]), [0, 0.99267, 0, 0.12087], atol=1e-3)
    assert scene.gripper_open_amount() == 1.0


def test_forward_kinematics_follows_a_real_recording(scenes, real_folder):
    """Joint angles recorded in CoppeliaSim lead our tip to the recorded tip."""
    recorded, scene = read_episode(real_folder), scenes("pick_up_cup")
    scene.reset(np.random.default_rng(0))
    for q, target in zip(recorded.joint_positions, recorded.gripper_pose):
        scene.set_arm(q)
        reached = scene.tip_pose()
        np.testing.assert_allclose(reached[:3], target[:3], atol=2e-3)
        assert np.linalg.norm(rotation_vector(multiply(target[3:], conjugate(reached[3:])))) < 0.01


def test_arm_angles_are_read_back_in_rlbenchs_convention(scenes):
    scene = scenes("pick_up_cup")
    q = robot.HOME_Q + 0.1
    scene.set_arm(q)
    np.testing.assert_allclose(scene.arm_q(), q)
    assert scene.data.joint("joint4").qpos[0] == pytest.approx(q[3] + 0.069)


def test_same_seed_same_picture_and_another_seed_another(panda, scenes):
    from robotr1.demos.tabletop.scene import TabletopScene

    pictures = []
    for seed in (7, 7, 8):
        scene = TabletopScene("pick_up_cup", np.random.default_rng(seed), image_size=64)
        pictures.append(scene.render())
        scene.close()
    kept = scenes("pick_up_cup")
    kept.reset(np.random.default_rng(7))
    assert pictures[0].shape == (64, 64, 3)
    assert pictures[0].dtype == np.uint8
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()


def test_a_reused_scene_draws_what_a_new_one_draws(panda, scenes):
    from robotr1.demos.tabletop.scene import TabletopScene

    used = scenes("lamp_on")
    used.reset(np.random.default_rng(1))
    used.step_frame(used.arm_q() + 0.02, 0.0)
    used.reset(np.random.default_rng(5))
    new = TabletopScene("lamp_on", np.random.default_rng(5), image_size=used.image_size)
    np.testing.assert_array_equal(used.data.qpos, new.data.qpos)
    np.testing.assert_array_equal(used.render(), new.render())
    new.close()


def test_a_frame_lasts_a_twentieth_of_a_second_and_the_arm_keeps_up(scenes):
    scene = scenes("push_button")
    scene.reset(np.random.default_rng(0))
    start, speed = scene.arm_q(), 0.4
    for frame in range(1, 11):
        scene.step_frame(start + speed * 0.05 * frame, 0.04)
    assert scene.data.time == pytest.approx(0.5)
    np.testing.assert_allclose(scene.arm_q(), start + speed * 0.5, atol=0.005)
    np.testing.assert_allclose(scene.arm_velocity(), speed, atol=0.05)


def test_fingers_open_and_close(scenes):
    scene = scenes("push_button")
    scene.reset(np.random.default_rng(0))
    for _ in range(15):
        scene.step_frame(robot.HOME_Q, 0.0)
    assert scene.gripper_open_amount() < 0.03
    for _ in range(15):
        scene.step_frame(robot.HOME_Q, robot.FINGER_OPEN)
    assert scene.gripper_open_amount() > 0.97


def test_objects_stay_where_they_were_put(scenes):
    """Nothing falls, jumps or slides while the arm waits at home."""
    for task in ("pick_up_cup", "take_lid_off_saucepan"):
        scene = scenes(task)
        scene.reset(np.random.default_rng(3))
        before = scene.positions()[0]
        for _ in range(10):
            scene.step_frame(robot.HOME_Q, robot.FINGER_OPEN)
        np.testing.assert_allclose(scene.positions()[0], before, atol=2e-3)


def test_a_saved_moment_comes_back_as_the_same_picture(scenes):
    scene = scenes("pick_up_cup")
    scene.reset(np.random.default_rng(2))
    state, picture = scene.save_state(), scene.render()
    scene.step_frame(robot.HOME_Q - 0.05, 0.0)
    assert (scene.render() != picture).any()
    scene.restore_state(state)
    np.testing.assert_array_equal(scene.render(), picture)


def test_unknown_task_is_named(panda):
    from robotr1.demos.tabletop.scene import TabletopScene

    with pytest.raises(KeyError, match="unknown task 'juggle'; the tabletop has pick_up_cup"):
        TabletopScene("juggle", np.random.default_rng(0))


def test_missing_assets_name_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"python -m robotr1\.demos\.tabletop\.panda"):
        robot.read_panda(tmp_path)
