"""RLBench cannot be installed here: a stand-in with its names shows that what it hands over is saved in full.

Whether the real RLBench still has these names, no test can tell without CoppeliaSim.
"""

import sys
import types

import numpy as np
import pytest

from robotr1.demos import rlbench
from robotr1.demos.episode import read_episode


def observation(frame):
    return types.SimpleNamespace(
        gripper_pose=np.array([0.3, 0.0, 1.4 - 0.01 * frame, 0.0, 1.0, 0.0, 0.0]),
        gripper_open=1.0 if frame < 5 else 0.0,
        joint_positions=np.full(7, 0.1 * frame),
        joint_velocities=np.full(7, 0.5),
        joint_forces=np.zeros(7),
        gripper_joint_positions=np.full(2, 0.04),
        front_rgb=np.full((16, 16, 3), frame, dtype=np.uint8),
        misc={
            "front_camera_intrinsics": np.diag([-20.0, -20.0, 1.0]),
            "front_camera_extrinsics": np.eye(4),
            "front_camera_near": 0.01,
            "front_camera_far": 4.5,
        },
    )


class Environment:
    """Fails the first time that a demonstration is asked for."""

    asked = 0
    open = True

    def get_task(self, task_class):
        assert task_class == "ReachTarget"
        return self

    def set_variation(self, variation):
        assert variation == 0

    def reset(self):
        return ["reach the red target"], None

    def get_demos(self, amount, live_demos):
        assert (amount, live_demos) == (1, True)
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("no path found")
        return [[observation(frame) for frame in range(8)]]

    def shutdown(self):
        self.open = False


@pytest.fixture
def environment(monkeypatch):
    environment = Environment()
    utils = types.ModuleType("rlbench.backend.utils")
    utils.task_file_to_task_class = lambda name: "".join(word.title() for word in name.split("_"))
    for name in ("rlbench", "rlbench.backend"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "rlbench.backend.utils", utils)
    monkeypatch.setattr(rlbench, "check_installed", lambda: None)
    monkeypatch.setattr(rlbench, "_launch", lambda image_size: environment)
    return environment


def test_saves_every_frame_and_counts_attempts(environment, tmp_path):
    rlbench.collect_rlbench({"reach_target": 2}, 16, tmp_path)
    episodes = [read_episode(tmp_path / f"reach_target/variation0/episodes/episode{number}") for number in range(2)]
    assert [episode.num_reset_attempts for episode in episodes] == [2, 1]
    assert episodes[0].frames == list(range(8))
    assert episodes[0].instructions == ["reach the red target"]
    assert episodes[0].image(3)[0, 0].tolist() == [3, 3, 3]
    assert episodes[0].gripper_open.tolist() == [1.0] * 5 + [0.0] * 3
    np.testing.assert_array_equal(episodes[0].camera("front")[0], np.diag([-20.0, -20.0, 1.0]))
    assert not environment.open


def test_keeps_what_is_there(environment, tmp_path):
    rlbench.collect_rlbench({"reach_target": 1}, 16, tmp_path)
    asked = environment.asked
    rlbench.collect_rlbench({"reach_target": 1}, 16, tmp_path)
    assert environment.asked == asked


def test_gives_up_after_ten_attempts_and_closes_the_simulator(environment, tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "asked", -100)
    monkeypatch.setattr(type(environment), "get_demos", lambda self, amount, live_demos: 1 / 0)
    with pytest.raises(RuntimeError, match="reach_target, episode 0: RLBench failed 10 times: division by zero"):
        rlbench.collect_rlbench({"reach_target": 1}, 16, tmp_path)
    assert not environment.open


def test_without_rlbench_the_message_says_how_to_install_it(tmp_path):
    with pytest.raises(rlbench.RLBenchMissing, match=r"CoppeliaSim Edu 4\.1\.0") as error:
        rlbench.collect_rlbench({"reach_target": 1}, 16, tmp_path)
    assert "stepjam/PyRep" in str(error.value)


def test_the_unrelated_pyrep_does_not_count(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrep", types.ModuleType("pyrep"))  # a plain module has no pyrep.backend
    with pytest.raises(rlbench.RLBenchMissing):
        rlbench.check_installed()
