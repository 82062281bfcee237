"""Demonstrations collected live in RLBench: the only module that imports rlbench and pyrep, and only when called.

Never run by the authors of this study, for want of CoppeliaSim. The calls follow RLBench 1.2.0 (stepjam/RLBench,
rlbench/dataset_generator.py) with PyRep 4.1.0.3: front camera, OpenGL3 renderer, variation 0, as in the paper (§4.1).
"""

import importlib.util
from pathlib import Path

import numpy as np
from tqdm import tqdm

from robotr1.demos.episode import Camera, write_episode

VARIATION = 0
MAX_ATTEMPTS = 10
ARM_MAX_VELOCITY, ARM_MAX_ACCELERATION = 1.0, 4.0

MISSING = """RLBench is not installed here, so source: rlbench cannot run. On Linux x86-64:
  1. Unpack CoppeliaSim Edu 4.1.0 (this version exactly) and set
       COPPELIASIM_ROOT=<its folder>
       LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$COPPELIASIM_ROOT
       QT_QPA_PLATFORM_PLUGIN_PATH=$COPPELIASIM_ROOT
  2. pip install git+https://github.com/stepjam/PyRep.git   (the package that an index calls pyrep is another one)
  3. pip install "rlbench[gym] @ git+https://github.com/stepjam/RLBench.git"
  4. Without a screen, start the stage under xvfb-run.
Otherwise take source: tabletop, or source: recorded with a folder of RLBench episodes."""


class RLBenchMissing(RuntimeError):
    """RLBench, PyRep or CoppeliaSim is not installed; the message says how to get them."""


def collect_rlbench(demos: dict[str, int], image_size: int, output: Path) -> None:
    """Write `demos[task]` live demonstrations of every task below `output`; episodes that exist are kept.

    Raises:
        RLBenchMissing: PyRep or RLBench cannot be found.
        RuntimeError: RLBench failed MAX_ATTEMPTS times for one demonstration.
    """
    check_installed()
    environment = _launch(image_size)
    try:
        for task, amount in demos.items():
            _collect_task(environment, task, amount, Path(output))
    finally:
        environment.shutdown()


def check_installed() -> None:
    """Raise RLBenchMissing unless rlbench and PyRep's own pyrep can be found (an unrelated pyrep does not count)."""
    try:
        found = all(importlib.util.find_spec(name) for name in ("pyrep.backend", "rlbench"))
    except ModuleNotFoundError:  # pyrep itself is missing
        found = False
    if not found:
        raise RLBenchMissing(MISSING)


def _launch(image_size: int):
    from pyrep.const import RenderMode
    from rlbench.action_modes.action_mode import MoveArmThenGripper
    from rlbench.action_modes.arm_action_modes import JointVelocity
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
        action_mode=MoveArmThenGripper(JointVelocity(), Discrete()),
        obs_config=config,
        arm_max_velocity=ARM_MAX_VELOCITY,
        arm_max_acceleration=ARM_MAX_ACCELERATION,
        headless=True,
    )
    environment.launch()
    return environment


def _collect_task(environment, task: str, amount: int, output: Path) -> None:
    from rlbench.backend.utils import task_file_to_task_class

    task_environment = environment.get_task(task_file_to_task_class(task))
    task_environment.set_variation(VARIATION)
    instructions, _ = task_environment.reset()
    episodes = output / task / f"variation{VARIATION}" / "episodes"
    for number in tqdm(range(amount), desc=task, unit="demo"):
        if not (episodes / f"episode{number}" / "low_dim_obs.pkl").exists():
            demo, attempts = _live_demo(task_environment, task, number)
            _save(demo, instructions, episodes / f"episode{number}", attempts)


def _live_demo(task_environment, task: str, number: int):
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            (demo,) = task_environment.get_demos(1, live_demos=True)
            return list(demo), attempt
        except Exception as error:  # RLBench raises many kinds where a plan fails; its own generator tries again, too
            reason = error
    raise RuntimeError(f"{task}, episode {number}: RLBench failed {MAX_ATTEMPTS} times: {reason}") from reason


def _save(observations: list, instructions: list[str], folder: Path, attempts: int) -> None:
    def series(name: str) -> np.ndarray:
        return np.array([getattr(observation, name) for observation in observations], dtype=np.float64)

    first = observations[0].misc
    extrinsics = np.array([observation.misc["front_camera_extrinsics"] for observation in observations])
    front = Camera(first["front_camera_intrinsics"], extrinsics, first["front_camera_near"], first["front_camera_far"])
    write_episode(
        folder,
        instructions=instructions,
        **{name: series(name) for name in ("gripper_pose", "gripper_open", "joint_positions", "joint_velocities")},
        joint_forces=series("joint_forces"),
        gripper_joint_positions=series("gripper_joint_positions"),
        cameras={"front": front},
        images={"front_rgb": {frame: observation.front_rgb for frame, observation in enumerate(observations)}},
        num_reset_attempts=attempts,
    )
