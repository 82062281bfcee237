"""Synthetic demonstrations in RLBench's layout, without a simulator."""

from pathlib import Path

import numpy as np

from robotr1.demos.episode import Camera, write_episode

HOME = np.array([0.28, -0.01, 1.47])


def write_synthetic(root: Path, task: str, number: int) -> Path:
    """Approach, close the gripper, lift: three straight legs of 24, 12 and 15 frames with a rest after each."""
    rng = np.random.default_rng([number, len(task)])
    thing = np.array([*rng.uniform([0.06, -0.36], [0.42, 0.36]), 0.8])
    stops = [HOME, thing + [0, 0, 0.15], thing, thing + [0, 0, 0.25]]
    legs = [np.linspace(a, b, n + 1)[:-1] for a, b, n in zip(stops, stops[1:], (24, 12, 15))]
    position = np.vstack([*legs, stops[-1:]])
    velocity = np.full((len(position), 7), 0.5)
    velocity[[24, 36, 51]] = 0.0
    gripper = (np.arange(len(position)) <= 36).astype(float)
    with_image = [*range(0, len(position), 10), 24, 36, 37, 51]  # also the keyframes
    images = {frame: rng.integers(0, 255, (8, 8, 3), dtype=np.uint8) for frame in with_image}
    front = Camera(np.array([[-10.0, 0, 4], [0, -10.0, 4], [0, 0, 1]]), np.eye(4))
    return write_episode(
        root / task / "variation0" / "episodes" / f"episode{number}",
        instructions=[f"do the {task} task"],
        gripper_pose=np.hstack([position, np.tile([0.0, 1, 0, 0], (len(position), 1))]),
        gripper_open=gripper,
        joint_positions=np.zeros((len(position), 7)),
        joint_velocities=velocity,
        cameras={"front": front},
        images={"front_rgb": images},
    )
