"""RLBench cannot be installed here: a stand-in with its modules, names and signatures shows that what it hands over is
saved in full, and what is asked of it.

The signatures are those of stepjam/RLBench 1.2.0. Whether the simulator behind them does as they say, no test can tell
without CoppeliaSim.
"""

import sys
import types
from dataclasses import replace

import numpy as np
import pytest
from small_settings import DEMOS

from robotr1 import environment as environments
from robotr1.demos import rlbench
from robotr1.demos.collect import collect_demos
from robotr1.demos.episode import read_episode
from robotr1.demos.unpickle import load_pickle
from robotr1.demos.write import CAMERAS

SETTINGS = replace(DEMOS, source="rlbench", train_tasks=["reach_target"], image_size=16)


class CameraConfig:
    def __init__(self):
        self.image_size, self.render_mode = (128, 128), None
        self.masks_as_one_channel, self.depth_in_meters = True, False
        self.set_all(True)

    def set_all(self, value):
        self.rgb = self.depth = self.point_cloud = self.mask = value


class ObservationConfig:
    def __init__(self):
        for name in CAMERAS:
            setattr(self, f"{name}_camera", CameraConfig())
        self.low_dim = False

    def set_all_high_dim(self, value):
        for name in CAMERAS:
            getattr(self, f"{name}_camera").set_all(value)

    def set_all_low_dim(self, value):
        self.low_dim = value


class Demo:
    def __init__(self, observations, random_seed=None, num_reset_attempts=None):
        self._observations, self.random_seed, self.num_reset_attempts = observations, random_seed, num_reset_attempts

    def __len__(self):
        return len(self._observations)

    def __getitem__(self, i):
        return self._observations[i]


class Environment:
    """Fails the first time that a demonstration is asked for."""

    last = None

    def __init__(self, action_mode, dataset_root="", obs_config=None, headless=False, static_positions=False,
                 robot_setup="panda", randomize_every=None, frequency=1, visual_randomization_config=None,
                 dynamics_randomization_config=None, attach_grasped_objects=True, shaped_rewards=False,
                 arm_max_velocity=1.0, arm_max_acceleration=4.0):  # fmt: skip
        assert headless
        self.config, self.asked, self.open = obs_config, 0, False
        Environment.last = self

    def launch(self):
        self.open = True

    def get_task(self, task_class):
        assert task_class == "ReachTarget"
        return self

    def set_variation(self, v):
        assert v == 0

    def reset(self, demo=None):
        return ["reach the red target"], None

    def get_demos(self, amount, live_demos=False, image_paths=False, callable_each_step=None, max_attempts=10,
                  random_selection=True, from_episode_number=0):  # fmt: skip
        assert live_demos and amount == 1
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("Could not collect demos. Maybe a problem with the task?")
        demo = Demo([self._observation(frame) for frame in range(8)], num_reset_attempts=3)
        demo.random_seed = np.random.RandomState(self.asked).get_state()
        return [demo]

    def shutdown(self):
        self.open = False

    def _observation(self, frame):
        assert self.config.low_dim
        observation = types.SimpleNamespace(
            gripper_pose=np.array([0.3, 0.0, 1.4 - 0.01 * frame, 0.0, 1.0, 0.0, 0.0]),
            gripper_open=1.0 if frame < 5 else 0.0,
            gripper_matrix=np.eye(4),
            joint_positions=np.full(7, 0.1 * frame),
            joint_velocities=np.full(7, 0.5),
            joint_forces=np.zeros(7),
            gripper_joint_positions=np.full(2, 0.04),
            gripper_touch_forces=np.arange(6.0),
            task_low_dim_state=np.array([0.3, 0.1, 0.9]),
            misc={"variation_index": 0, "joint_position_action": None if frame == 0 else np.ones(8)},
        )
        observation.misc["joint_poses"] = [[0.0, 0, 0, 0, 0, 0, 1]] * 7
        for name in CAMERAS:
            config = getattr(self.config, f"{name}_camera")
            observation.misc |= {
                f"{name}_camera_intrinsics": np.diag([-20.0, -20.0, 1.0]),
                f"{name}_camera_extrinsics": np.eye(4),
                f"{name}_camera_near": 0.01,
                f"{name}_camera_far": 4.5,
            }
            shape = config.image_size
            rgb, fraction = np.full((*shape, 3), frame, np.uint8), np.full(shape, 0.25, np.float32)
            handles = np.full((*shape, 3), np.float32([48, 1, 0]) / 255, np.float32)
            assert config.depth_in_meters is False
            setattr(observation, f"{name}_rgb", rgb if config.rgb else None)
            setattr(observation, f"{name}_depth", fraction if config.depth else None)
            setattr(observation, f"{name}_mask", handles if config.mask else None)
            setattr(observation, f"{name}_point_cloud", None)
            assert not config.mask or config.masks_as_one_channel is False
        return observation


def put(monkeypatch, name, **content):
    module = types.ModuleType(name)
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def simulator(monkeypatch):
    """RLBench's and PyRep's modules as far as they are used."""
    for name in ("pyrep", "rlbench", "rlbench.action_modes", "rlbench.backend"):
        put(monkeypatch, name)
    put(monkeypatch, "pyrep.const", RenderMode=types.SimpleNamespace(OPENGL3="opengl3"))
    put(
        monkeypatch,
        "rlbench.action_modes.action_mode",
        MoveArmThenGripper=lambda arm_action_mode, gripper_action_mode: 0,
    )
    put(monkeypatch, "rlbench.action_modes.arm_action_modes", JointVelocity=lambda: 0)
    put(monkeypatch, "rlbench.action_modes.gripper_action_modes", Discrete=lambda: 0)
    put(monkeypatch, "rlbench.environment", Environment=Environment)
    put(monkeypatch, "rlbench.observation_config", ObservationConfig=ObservationConfig)
    to_class = lambda task_file: "".join(word.title() for word in task_file.split("_"))  # noqa: E731
    put(monkeypatch, "rlbench.backend.utils", task_file_to_task_class=to_class)
    monkeypatch.setattr(rlbench, "check_installed", lambda: None)


def test_saves_every_frame_and_all_that_rlbench_records(simulator, tmp_path):
    collection = collect_demos(SETTINGS, tmp_path / "demos")
    assert [(row.task, row.demos, row.longest) for row in collection.tasks] == [("reach_target", 2, 8)]
    folder = tmp_path / "demos/reach_target/variation0/episodes/episode0"
    episode = read_episode(folder)
    assert episode.frames == list(range(8))
    assert episode.instructions == ["reach the red target"]
    assert episode.image(3).shape == (16, 16, 3)
    assert episode.image(3)[0, 0].tolist() == [3, 3, 3]
    assert episode.gripper_open.tolist() == [1.0] * 5 + [0.0] * 3
    np.testing.assert_array_equal(episode.camera("wrist")[0], np.diag([-20.0, -20.0, 1.0]))
    np.testing.assert_array_equal(episode.task_low_dim_state, [[0.3, 0.1, 0.9]] * 8)
    assert episode.num_reset_attempts == 3
    demo = load_pickle(folder / "low_dim_obs.pkl")
    np.testing.assert_array_equal(demo.random_seed[1], np.random.RandomState(2).get_state()[1])
    np.testing.assert_array_equal(demo._observations[4].gripper_touch_forces, np.arange(6))
    assert {"variation_index", "joint_position_action", "joint_poses"} <= set(demo._observations[4].misc)
    assert {path.name for path in folder.iterdir()} == {"low_dim_obs.pkl", "front_rgb"}
    assert not Environment.last.open


def test_all_cameras_depths_and_masks(simulator, tmp_path):
    rlbench.collect_rlbench({"reach_target": 1}, tmp_path, image_size=24, cameras=CAMERAS, depth_and_masks=True)
    episode = read_episode(tmp_path / "reach_target/variation0/episodes/episode0")
    for camera in CAMERAS:
        assert episode.image(7, camera).shape == (24, 24, 3)
        np.testing.assert_allclose(episode.depth(7, camera), 0.01 + 0.25 * 4.49, atol=1e-6)
        assert (episode.mask(7, camera) == 48 + 256).all()


def test_keeps_what_is_there(simulator, tmp_path):
    collect_demos(SETTINGS, tmp_path / "demos")
    collect_demos(SETTINGS, tmp_path / "demos")
    assert Environment.last.asked == 0


def test_gives_up_after_ten_attempts_and_closes_the_simulator(simulator, tmp_path, monkeypatch):
    monkeypatch.setattr(Environment, "get_demos", lambda self, amount, live_demos: 1 / 0)
    with pytest.raises(RuntimeError, match="reach_target, episode 0: RLBench failed 10 times: division by zero"):
        collect_demos(SETTINGS, tmp_path / "demos")
    assert not Environment.last.open


def test_what_is_missing_is_named_with_the_exact_steps(tmp_path, monkeypatch):
    for name in rlbench.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(rlbench.RLBenchMissing, match="COPPELIASIM_ROOT is not set.*PyRep is not installed") as error:
        collect_demos(SETTINGS, tmp_path / "demos")
    message = str(error.value)
    git_pins = [line for line in environments.requirements(environments.RLBENCH_REQUIREMENTS) if "git+" in line]
    assert len(git_pins) == 2
    for step in (*rlbench.VARIABLES, *git_pins, "CoppeliaSim Edu 4.1.0", "xvfb-run"):
        assert step in message


def install(folder, *modules):
    for module in modules:
        (folder / module).mkdir(parents=True)
        (folder / module / "__init__.py").write_text("raise SystemExit('must not be run')")


def test_the_unrelated_pyrep_is_told_from_the_real_one(tmp_path, monkeypatch):
    install(tmp_path, "pyrep", "rlbench", "gymnasium")
    monkeypatch.syspath_prepend(tmp_path)
    for name in rlbench.VARIABLES:
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(rlbench.RLBenchMissing, match=r"here: the installed pyrep is an unrelated package.*name"):
        rlbench.check_installed()
    install(tmp_path, "pyrep/backend")
    rlbench.check_installed()
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(rlbench.RLBenchMissing, match="there is no display"):
        rlbench.check_installed()
    monkeypatch.setenv("COPPELIASIM_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(rlbench.RLBenchMissing, match="nowhere is not a folder"):
        rlbench.check_installed()
