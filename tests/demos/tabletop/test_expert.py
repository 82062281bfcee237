"""The expert in the real simulator, on a few placements of every task."""

import numpy as np
import pytest

from robotr1.keyframes import find_keyframes
from robotr1.paths import PANDA

if not (PANDA / "panda.json").exists():
    pytest.skip("no Panda: run `python -m robotr1.demos.tabletop.panda`", allow_module_level=True)

from robotr1.demos.tabletop.episodes import attempt_generator
from robotr1.demos.tabletop.expert import AttemptFailed, _check_stops, demonstrate, draw, frames_to_draw
from robotr1.demos.tabletop.scene import TabletopScene
from robotr1.demos.tabletop.tasks import TASKS

SEED, PLACEMENTS = 7, 4


@pytest.fixture(scope="module", params=TASKS)
def scene(request):
    scene = TabletopScene(request.param, np.random.default_rng(0), image_size=64)
    yield scene
    scene.close()


@pytest.fixture(scope="module")
def recordings(scene):
    """A few placements; states are of the module's scene, so tests that draw must reset it first."""
    recordings = []
    for episode in range(PLACEMENTS):
        scene.reset(attempt_generator(SEED, scene.task.name, episode, 0))
        waypoints = scene.task.waypoints(scene)
        recordings.append((demonstrate(scene), waypoints))
    return recordings


def test_arms_rule_finds_exactly_the_scripts_waypoints(recordings):
    for recording, waypoints in recordings:
        found = find_keyframes(np.array(recording.joint_velocities), np.array(recording.gripper_open))
        assert found == recording.keyframes
        assert len(found) == len(waypoints)
        for frame, waypoint in zip(found, waypoints):
            assert np.linalg.norm(recording.gripper_pose[frame][:3] - waypoint.pose[:3]) < 0.01
        assert found[-1] == len(recording) - 1


def test_gripper_changes_from_one_frame_to_the_next_and_only_on_command(recordings):
    for recording, waypoints in recordings:
        commands = [frame for frame, waypoint in zip(recording.keyframes, waypoints) if waypoint.gripper is not None]
        changes = np.flatnonzero(np.diff(recording.gripper_open)) + 1
        assert changes.tolist() == commands
        for frame in commands:
            before, after = recording.gripper_joint_positions[frame - 1], recording.gripper_joint_positions[frame]
            narrow, wide = (before, after) if recording.gripper_open[frame] else (after, before)
            assert wide.mean() > 0.9 * 0.04 > narrow.mean()
            assert np.linalg.norm(recording.gripper_pose[frame][:3] - recording.gripper_pose[frame - 1][:3]) < 0.005


def test_a_demonstration_is_three_to_nine_seconds_long_by_its_waypoints_and_smooth(recordings):
    for recording, waypoints in recordings:
        assert 60 <= len(recording) <= 30 + 30 * len(waypoints)
        steps = np.linalg.norm(np.diff(np.array(recording.gripper_pose)[:, :3], axis=0), axis=1)
        assert steps.max() < 0.02  # metres in 0.05 s


def test_speeds_are_those_of_the_positions(recordings):
    recording, _ = recordings[0]
    positions, velocities = np.array(recording.joint_positions), np.array(recording.joint_velocities)
    flips = np.flatnonzero(np.diff(recording.gripper_open))  # frames between which unrecorded time passes
    middle = np.setdiff1d(np.arange(1, len(recording) - 1), [*flips, *(flips + 1)])
    central = (positions[middle + 1] - positions[middle - 1]) / 0.1
    assert np.abs(central - velocities[middle]).mean() < 0.05


def test_first_frame_is_rlbenchs_home(recordings):
    recording, _ = recordings[0]
    np.testing.assert_allclose(recording.joint_positions[0], [0, 0.1752, 0, -0.873, 0, 1.2216, 0.7854], atol=1e-4)
    np.testing.assert_allclose(recording.gripper_pose[0][:3], [0.2785, -0.0082, 1.4719], atol=2e-3)
    assert recording.gripper_open[0] == 1.0


def test_every_series_has_one_row_per_frame(scene, recordings):
    recording, _ = recordings[0]
    series = recording.series()
    assert {name: values.shape[1:] for name, values in series.items()} == {
        "gripper_pose": (7,),
        "gripper_open": (),
        "joint_positions": (7,),
        "joint_velocities": (7,),
        "joint_forces": (7,),
        "gripper_joint_positions": (2,),
        "task_low_dim_state": (3 * len(scene.task.objects),),
    }
    assert all(len(values) == len(recording) for values in series.values())
    assert recording.cameras(["wrist"])["wrist"].extrinsics.shape == (len(recording), 4, 4)


def test_images_drawn_afterwards_are_those_of_the_moment(scene):
    """Going back to remembered states gives the picture that rendering during physics would have given."""
    scene.reset(attempt_generator(SEED, scene.task.name, 0, 0))
    first = scene.render()
    recording = demonstrate(scene)
    last = scene.render()
    frames = frames_to_draw(recording, 20)
    assert frames == [f for f in range(len(recording)) if f % 20 == 0 or f in recording.keyframes]
    images = draw(scene, recording, frames)["front_rgb"]
    np.testing.assert_array_equal(images[0], first)
    np.testing.assert_array_equal(images[len(recording) - 1], last)
    assert (images[0] != images[len(recording) - 1]).any()


def test_a_reused_scene_gives_the_same_demonstration_as_a_fresh_one(scene, recordings):
    fresh = TabletopScene(scene.task.name, attempt_generator(SEED, scene.task.name, 1, 0), image_size=64)
    again = demonstrate(fresh)
    for name, values in recordings[1][0].series().items():
        np.testing.assert_array_equal(again.series()[name], values, err_msg=name)
    scene.reset(attempt_generator(SEED, scene.task.name, 1, 0))
    images = draw(fresh, again, [len(again) - 1])["front_rgb"]
    reused = draw(scene, recordings[1][0], [len(again) - 1])["front_rgb"]
    np.testing.assert_array_equal(images[len(again) - 1], reused[len(again) - 1])
    fresh.close()


def test_an_undone_task_is_a_failed_attempt(scene, monkeypatch):
    scene.reset(attempt_generator(SEED, scene.task.name, 0, 0))
    monkeypatch.setattr(scene.task, "success", lambda scene: False)
    with pytest.raises(AttemptFailed, match="not done"):
        demonstrate(scene)


def test_a_waypoint_out_of_reach_is_a_failed_attempt(scene, monkeypatch):
    scene.reset(attempt_generator(SEED, scene.task.name, 0, 0))
    monkeypatch.setattr(scene, "solve_ik", lambda pose, q0=None: None)
    with pytest.raises(AttemptFailed, match="out of reach"):
        demonstrate(scene)


def test_a_pause_on_the_way_is_a_failed_attempt(recordings):
    recording, _ = recordings[0]
    pause = recording.keyframes[0] // 2
    kept = recording.joint_velocities[pause]
    recording.joint_velocities[pause] = np.zeros(7)
    try:
        with pytest.raises(AttemptFailed, match=f"frame {pause}"):
            _check_stops(recording)
    finally:
        recording.joint_velocities[pause] = kept
