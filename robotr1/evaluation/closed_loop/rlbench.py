"""The RLBench environment: tasks run live in CoppeliaSim.

It was never run with CoppeliaSim itself; the tests replace RLBench by a stand-in with its names and signatures. The
calls follow RLBench 1.2.0 (stepjam/RLBench, rlbench/task_environment.py): the keyframes of a live demonstration are the
script, and `reset_to_demo` restores its placement. Actions are absolute tip poses that RLBench's own planner reaches,
as in EmbodiedBench and PerAct.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from robotr1.demos.rlbench import ARM_MAX_ACCELERATION, ARM_MAX_VELOCITY, MAX_ATTEMPTS, check_installed
from robotr1.evaluation.closed_loop.environment import ARRIVED, VARIATION, Goal, Outcome
from robotr1.keyframes import find_keyframes


@contextmanager
def rlbench_environments(task: str, episodes: int, image_size: int = 224) -> Iterator[Iterator["RLBenchEnvironment"]]:
    """Within the context, yield the environments one by one. There is one simulator: finish each before the next.

    RLBench draws placements from numpy's global generator; `numpy.random.seed` makes them repeatable.

    Raises:
        RLBenchMissing: RLBench, PyRep or CoppeliaSim is not installed; the message has the steps.
        RuntimeError: RLBench failed MAX_ATTEMPTS times for one demonstration.
    """
    check_installed()
    from rlbench.backend.utils import task_file_to_task_class

    environment = _launch(image_size)
    try:
        task_environment = environment.get_task(task_file_to_task_class(task))
        task_environment.set_variation(VARIATION)
        yield (RLBenchEnvironment(task_environment, task, episode) for episode in range(episodes))
    finally:
        environment.shutdown()


class RLBenchEnvironment:
    """One placement in RLBench, reset after its live demonstration."""

    def __init__(self, task_environment, task: str, episode: int):
        self.task, self.episode, self._environment = task, episode, task_environment
        demo = self._live_demo()
        observations = list(demo)
        poses = np.array([observation.gripper_pose for observation in observations], float)
        opened = np.array([observation.gripper_open for observation in observations], float)
        speeds = np.array([observation.joint_velocities for observation in observations], float)
        self.demo = poses, opened
        self.goals = [Goal(poses[frame], float(opened[frame] > 0.5)) for frame in find_keyframes(speeds, opened)]
        wordings, self._observation = task_environment.reset_to_demo(demo)
        self.instruction = wordings[episode % len(wordings)]
        self._done = False

    def image(self) -> np.ndarray:
        return np.asarray(self._observation.front_rgb, np.uint8)

    def gripper(self) -> tuple[np.ndarray, float]:
        return np.asarray(self._observation.gripper_pose, float), float(self._observation.gripper_open > 0.5)

    def execute(self, pose: np.ndarray, gripper: float) -> Outcome:
        from rlbench.backend.exceptions import InvalidActionError

        turned = pose[3:] / np.linalg.norm(pose[3:])
        try:
            self._observation, reward, _ = self._environment.step(np.array([*pose[:3], *turned, gripper]))
        except InvalidActionError:  # outside RLBench's workspace, or no path
            return "unreachable"
        self._done = reward == 1.0
        return "moved" if np.linalg.norm(self.gripper()[0][:3] - pose[:3]) <= ARRIVED or self._done else "blocked"

    def success(self) -> bool:
        return self._done

    def _live_demo(self):
        for _ in range(MAX_ATTEMPTS):
            try:
                (demo,) = self._environment.get_demos(1, live_demos=True)
                return demo
            except Exception as error:  # RLBench raises many kinds where a plan fails
                reason = error
        raise RuntimeError(f"{self.task}, episode {self.episode}: RLBench failed {MAX_ATTEMPTS} times: {reason}")


def _launch(image_size: int):
    from pyrep.const import RenderMode
    from rlbench.action_modes.action_mode import MoveArmThenGripper
    from rlbench.action_modes.arm_action_modes import EndEffectorPoseViaPlanning
    from rlbench.action_modes.gripper_action_modes import Discrete
    from rlbench.environment import Environment
    from rlbench.observation_config import ObservationConfig

    config = ObservationConfig()
    config.set_all_high_dim(False)
    config.set_all_low_dim(True)
    config.front_camera.rgb = True
    config.front_camera.image_size = (image_size, image_size)
    config.front_camera.render_mode = RenderMode.OPENGL3
    environment = Environment(
        action_mode=MoveArmThenGripper(EndEffectorPoseViaPlanning(), Discrete()),
        obs_config=config,
        arm_max_velocity=ARM_MAX_VELOCITY,
        arm_max_acceleration=ARM_MAX_ACCELERATION,
        headless=True,
    )
    environment.launch()
    return environment
