"""The RLBench environment, with a stand-in that has RLBench 1.2.0's names and signatures.

What CoppeliaSim itself does cannot be tested here.
"""

import sys
import types

import numpy as np
import pytest
from small_settings import WAYPOINTS as SETTINGS

from robotr1.demos.rlbench import VARIABLES, RLBenchMissing
from robotr1.evaluation.closed_loop import rlbench
from robotr1.evaluation.closed_loop.agents import Agent, oracle_agent
from robotr1.evaluation.closed_loop.forms import OpenForm
from robotr1.evaluation.closed_loop.run import run_environments
from robotr1.questions.prompts import format_state

STOPS = np.array([[0.3, 0.0, 1.4], [0.2, 0.1, 0.9], [0.2, 0.1, 1.1]])


class InvalidActionError(Exception):
    pass


class TaskEnvironment:
    """Done when the closed gripper is at the last stop after it closed at the one before."""

    def __init__(self):
        self.asked, self.actions, self.variation = 0, [], None

    def set_variation(self, v):
        self.variation = v

    def get_demos(self, amount, live_demos=False):
        assert amount == 1 and live_demos and self.variation == 0
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("Could not collect demos. Maybe a problem with the task?")
        way = np.vstack([np.linspace(a, b, 12) for a, b in zip(STOPS, STOPS[1:])])
        return [[observation(place, float(frame < 12)) for frame, place in enumerate(way)]]

    def reset_to_demo(self, demo):
        self.actions = []
        return ["reach it", "get there"], demo[0]

    def step(self, action):
        assert action.shape == (8,) and np.isclose(np.linalg.norm(action[3:7]), 1)
        if action[2] > 1.5:
            raise InvalidActionError("A path could not be found because the target is outside of workspace.")
        self.actions.append(action)
        places = [np.allclose(a[:3], stop, atol=0.01) for a, stop in zip(self.actions, STOPS[1:])]
        done = places == [True, True] and all(a[7] == 0.0 for a in self.actions)
        return observation(action[:3], action[7]), float(done), done


def observation(place, opened):
    return types.SimpleNamespace(
        gripper_pose=np.array([*place, 0.0, 1.0, 0.0, 0.0]),
        gripper_open=opened,
        joint_velocities=np.full(7, 0.5),
        front_rgb=np.full((16, 16, 3), 7, np.uint8),
    )


class Environment:
    last = None

    def __init__(self, action_mode, dataset_root="", obs_config=None, headless=False, arm_max_velocity=1.0,
                 arm_max_acceleration=4.0):  # fmt: skip
        assert headless and action_mode == ("arm", "gripper")
        camera = obs_config.front_camera
        assert camera.rgb and camera.image_size == (16, 16) and camera.render_mode == "opengl3"
        self.open, Environment.last = False, self

    def launch(self):
        self.open = True

    def get_task(self, task_class):
        assert task_class == "ReachTarget"
        self.task = TaskEnvironment()
        return self.task

    def shutdown(self):
        self.open = False


class ObservationConfig:
    def __init__(self):
        self.front_camera = types.SimpleNamespace(rgb=True, image_size=(128, 128), render_mode=None)

    def set_all_high_dim(self, value):
        self.front_camera.rgb = value

    def set_all_low_dim(self, value):
        assert value


@pytest.fixture
def simulator(monkeypatch):
    """RLBench's and PyRep's modules as far as they are used."""

    def put(name, **content):
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)

    for name in ("pyrep", "rlbench", "rlbench.action_modes", "rlbench.backend"):
        put(name)
    put("pyrep.const", RenderMode=types.SimpleNamespace(OPENGL3="opengl3"))
    put("rlbench.action_modes.action_mode", MoveArmThenGripper=lambda arm, gripper: (arm, gripper))
    put("rlbench.action_modes.arm_action_modes", EndEffectorPoseViaPlanning=lambda: "arm")
    put("rlbench.action_modes.gripper_action_modes", Discrete=lambda: "gripper")
    put("rlbench.environment", Environment=Environment)
    put("rlbench.observation_config", ObservationConfig=ObservationConfig)
    put("rlbench.backend.exceptions", InvalidActionError=InvalidActionError)
    to_class = lambda task_file: "".join(word.title() for word in task_file.split("_"))  # noqa: E731
    put("rlbench.backend.utils", task_file_to_task_class=to_class)
    monkeypatch.setattr(rlbench, "check_installed", lambda: None)


def run(agent, episodes=2):
    with rlbench.rlbench_environments("reach_target", episodes, image_size=16) as environments:
        return run_environments(environments, agent, together=1)


def test_the_oracle_replays_the_keyframes_of_live_demonstrations(simulator):
    traces = run(oracle_agent(OpenForm(SETTINGS)))
    assert [trace.success for trace in traces] == [True, True]
    assert [trace.instruction for trace in traces] == ["reach it", "get there"]
    np.testing.assert_allclose([step.target for step in traces[0].steps], STOPS[1:])
    assert Environment.last.task.asked == 3 and not Environment.last.open  # the first demonstration failed


def test_no_path_is_a_lost_step_and_a_wrong_place_a_failure(simulator):
    told = iter(["[0.1, 0.1, 1.55]", format_state(STOPS[1], 3), "[0.1, -0.3, 1]"])
    (trace,) = run(Agent("told", OpenForm(SETTINGS), lambda questions: [next(told)], uses_images=True), 1)
    assert [step.outcome for step in trace.steps] == ["unreachable", "moved", "moved"]
    assert (trace.success, trace.reason) == (False, "wrong place")
    assert trace.steps[0].image.shape == (16, 16, 3)


def test_without_rlbench_the_message_has_the_installation(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RLBenchMissing, match="COPPELIASIM_ROOT is not set"):
        run(oracle_agent(OpenForm(SETTINGS)))


def test_the_simulator_is_shut_down_when_an_agent_fails(simulator):
    with pytest.raises(ZeroDivisionError):
        run(Agent("fails", OpenForm(SETTINGS), lambda questions: 1 / 0))
    assert not Environment.last.open
