"""Collect demonstrations live in RLBench; rlbench and pyrep are imported only when they are used.

The authors of this study have no CoppeliaSim and never ran this module. The calls follow RLBench 1.2.0
(stepjam/RLBench, rlbench/dataset_generator.py) with PyRep 4.1.0.3: OpenGL3 renderer, variation 0, as in the paper
(§4.1). RLBench renders every frame, so every frame is kept.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from robotr1.demos.episode import write_episode
from robotr1.demos.images import encode_depth
from robotr1.demos.layout import LOW_DIM
from robotr1.environment import RLBENCH_REQUIREMENTS, requirements

VARIATION = 0
MAX_ATTEMPTS = 10
ARM_MAX_VELOCITY, ARM_MAX_ACCELERATION = 1.0, 4.0
VARIABLES = ("COPPELIASIM_ROOT", "LD_LIBRARY_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH")
SERIES = (
    "gripper_pose",
    "gripper_open",
    "joint_positions",
    "joint_velocities",
    "joint_forces",
    "gripper_joint_positions",
    "gripper_touch_forces",
    "task_low_dim_state",
)

STEPS = """On Linux x86-64, in this Python's environment:
  1. Unpack CoppeliaSim Edu 4.1.0 (this version exactly; coppeliarobotics.com, previous versions) and set
       export COPPELIASIM_ROOT=<its folder>
       export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$COPPELIASIM_ROOT
       export QT_QPA_PLATFORM_PLUGIN_PATH=$COPPELIASIM_ROOT
  2. pip install --no-deps -r conf/rlbench/requirements.txt
     which installs these two and their dependencies:
       {pyrep}
       {rlbench}
     (never `pip install pyrep`: the package index has another package of that name)
  3. Without a screen, run the stage under xvfb-run: apt-get install xvfb, then
       xvfb-run python -m robotr1.notebook extract_demos
RLBench is for academic, non-commercial use. Otherwise take source: tabletop, or source: recorded with a folder of
RLBench episodes."""


class RLBenchMissing(RuntimeError):
    """RLBench, PyRep or CoppeliaSim is not installed; the message names what is missing and how to install it."""


def collect_rlbench(
    demos: dict[str, int],
    output: Path,
    *,
    image_size: int,
    cameras: Iterable[str] = ("front",),
    depth_and_masks: bool = False,
) -> None:
    """Write `demos[task]` live demonstrations of every task below `output`; existing episodes are kept.

    Raises:
        RLBenchMissing: RLBench or a part that it needs is not installed.
        RuntimeError: RLBench failed MAX_ATTEMPTS times for one demonstration.
    """
    check_installed()
    environment = _launch(image_size, cameras, depth_and_masks)
    try:
        for task, amount in demos.items():
            _collect_task(environment, task, amount, Path(output), cameras, depth_and_masks)
    finally:
        environment.shutdown()


def check_installed() -> None:
    """Raise RLBenchMissing unless rlbench, PyRep (not an unrelated pyrep) and CoppeliaSim are installed."""
    if missing := _missing():
        pins = {line.split()[0]: line for line in requirements(RLBENCH_REQUIREMENTS)}
        steps = STEPS.format(pyrep=pins["pyrep"], rlbench=pins["rlbench"])
        raise RLBenchMissing(f"source: rlbench cannot run here: {'; '.join(missing)}.\n{steps}")


def _missing() -> list[str]:
    missing = [f"the environment variable {name} is not set" for name in VARIABLES if not os.environ.get(name)]
    if "COPPELIASIM_ROOT" in os.environ and not Path(os.environ["COPPELIASIM_ROOT"]).is_dir():
        missing.append(f"COPPELIASIM_ROOT={os.environ['COPPELIASIM_ROOT']} is not a folder")
    if not _is_installed("pyrep"):
        missing.append("PyRep is not installed")
    elif not (Path(_is_installed("pyrep").submodule_search_locations[0]) / "backend").is_dir():
        missing.append("the installed pyrep is an unrelated package of that name (`pip uninstall pyrep`)")
    missing += [f"{name} is not installed" for name in ("rlbench", "gymnasium") if not _is_installed(name)]
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        missing.append("there is no display")
    return missing


def _is_installed(name: str):
    """Return the package's spec without importing it; None if it is not installed."""
    spec = importlib.util.find_spec(name)
    return spec if spec is not None and spec.submodule_search_locations else None


def _launch(image_size: int, cameras: Iterable[str], depth_and_masks: bool):
    from pyrep.const import RenderMode
    from rlbench.action_modes.action_mode import MoveArmThenGripper
    from rlbench.action_modes.arm_action_modes import JointVelocity
    from rlbench.action_modes.gripper_action_modes import Discrete
    from rlbench.environment import Environment
    from rlbench.observation_config import ObservationConfig

    config = ObservationConfig()
    config.set_all_high_dim(False)
    config.set_all_low_dim(True)
    for name in cameras:
        camera = getattr(config, f"{name}_camera")
        camera.rgb, camera.depth, camera.mask = True, depth_and_masks, depth_and_masks
        camera.depth_in_meters, camera.masks_as_one_channel = False, False  # as in the files
        camera.image_size = (image_size, image_size)
        camera.render_mode = RenderMode.OPENGL3
    environment = Environment(
        action_mode=MoveArmThenGripper(JointVelocity(), Discrete()),
        obs_config=config,
        arm_max_velocity=ARM_MAX_VELOCITY,
        arm_max_acceleration=ARM_MAX_ACCELERATION,
        headless=True,
    )
    environment.launch()
    return environment


def _collect_task(
    environment, task: str, amount: int, output: Path, cameras: Iterable[str], depth_and_masks: bool
) -> None:
    from rlbench.backend.utils import task_file_to_task_class

    task_environment = environment.get_task(task_file_to_task_class(task))
    task_environment.set_variation(VARIATION)
    instructions, _ = task_environment.reset()
    episodes = output / task / f"variation{VARIATION}" / "episodes"
    for number in tqdm(range(amount), desc=task, unit="demo"):
        if not (episodes / f"episode{number}" / LOW_DIM).exists():
            demo = _live_demo(task_environment, task, number)
            _save(demo, instructions, episodes / f"episode{number}", cameras, depth_and_masks)


def _live_demo(task_environment, task: str, number: int):
    for _ in range(MAX_ATTEMPTS):
        try:
            (demo,) = task_environment.get_demos(1, live_demos=True)
            return demo
        except Exception as error:  # RLBench raises many types when planning fails; its own generator retries, too
            reason = error
    raise RuntimeError(f"{task}, episode {number}: RLBench failed {MAX_ATTEMPTS} times: {reason}") from reason


def _save(demo, instructions: list[str], folder: Path, cameras: Iterable[str], depth_and_masks: bool) -> None:
    """Write what RLBench's own generator writes, including the placement's random state."""
    observations = list(demo)
    images = {f"{camera}_rgb": _images(observations, f"{camera}_rgb", np.asarray) for camera in cameras}
    if depth_and_masks:
        for camera in cameras:
            images[f"{camera}_depth"] = _images(observations, f"{camera}_depth", _encode_fraction)
            images[f"{camera}_mask"] = _images(observations, f"{camera}_mask", _encode_handles)
    write_episode(
        folder,
        instructions=instructions,
        **{name: _series(observations, name) for name in SERIES},
        cameras={},
        images=images,
        misc=[observation.misc for observation in observations],
        random_seed=demo.random_seed,
        num_reset_attempts=demo.num_reset_attempts,
    )


def _series(observations: list, name: str) -> np.ndarray | None:
    values = [getattr(observation, name) for observation in observations]
    return None if any(value is None for value in values) else np.array(values, dtype=np.float64)


def _images(observations: list, name: str, encode) -> dict[int, np.ndarray]:
    return {frame: encode(getattr(observation, name)) for frame, observation in enumerate(observations)}


def _encode_fraction(depth: np.ndarray) -> np.ndarray:
    return encode_depth(depth, near=0.0, far=1.0)


def _encode_handles(mask: np.ndarray) -> np.ndarray:
    """Convert the sensor's colours in 0 .. 1, which encode handles, to uint8."""
    return np.rint(mask * 255).astype(np.uint8)
