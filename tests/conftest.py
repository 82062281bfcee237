"""Episodes for the tests: one recorded in CoppeliaSim by RLBench itself, and synthetic ones that are written here."""

import hypothesis
import numpy as np
import pytest
from small_study import clone_of_repository, copy_of_repository, dvc

from robotr1 import paths
from robotr1.demos.episode import Camera, write_episode
from robotr1.metadata import standard_front_camera

hypothesis.settings.register_profile("study", deadline=None, derandomize=True)  # a busy machine is no failure
hypothesis.settings.load_profile("study")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Group tests for several workers: by file, and those of the small study together and first, as it takes long."""
    items.sort(key=lambda item: "small_study" not in item.fixturenames)
    for item in items:
        group = "small study" if "small_study" in item.fixturenames else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


RECORDINGS = paths.ROOT.parent / "shared/real/rlbench"


@pytest.fixture(scope="session")
def recordings():
    """A folder of real RLBench recordings (their licence forbids keeping a copy in this repository)."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no RLBench recording at {RECORDINGS}")
    return RECORDINGS


@pytest.fixture(scope="session")
def real_folder(recordings):
    return recordings / "reach_target/variation0/episodes/episode0"


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """A copy of the repository in which the whole study has run on the ci profile (some minutes)."""
    root = copy_of_repository(tmp_path_factory.mktemp("small_study"))
    dvc(root, "exp", "run", "-S", "profile=ci")
    return root


@pytest.fixture(scope="session")
def committed(tmp_path_factory):
    """A clone of the last commit. Tests of committed results use it, since `make study` replaces the working tree's."""
    clone = clone_of_repository(tmp_path_factory.mktemp("committed") / "robotr1")
    if clone is None:
        pytest.skip("not a git checkout, so there is no committed run to look at")
    return clone


@pytest.fixture
def make_episode(tmp_path):
    """Write a small synthetic episode and return its folder; keyword arguments replace what is written."""

    def make(task="pick_up_cup", variation=0, episode=0, length=24, size=32, root=tmp_path / "demos", **changes):
        rng = np.random.default_rng([variation, episode])
        corners = np.array([[0.28, 0.0, 1.47], [*rng.uniform(-0.2, 0.2, 2) + [0.25, 0], 0.85], [0.25, 0.0, 1.1]])
        progress = np.linspace(0, 2, length)
        position = np.stack([np.interp(progress, [0, 1, 2], corners[:, axis]) for axis in range(3)], axis=1)
        intrinsics, extrinsics = standard_front_camera(size)
        content = {
            "instructions": ["pick up the red cup", "lift the red cup"],
            "gripper_pose": np.hstack([position, np.tile([0.0, 1.0, 0.0, 0.0], (length, 1))]),
            "gripper_open": (progress < 1).astype(float),
            "joint_positions": np.full((length, 7), 0.025).cumsum(axis=0) + rng.normal(size=7),
            "joint_velocities": np.full((length, 7), 0.5),
            "cameras": {"front": Camera(intrinsics, extrinsics)},
            "images": {
                "front_rgb": {
                    frame: rng.integers(0, 256, (size, size, 3), dtype=np.uint8) for frame in range(0, length, 10)
                }
            },
        }
        folder = root / task / f"variation{variation}" / "episodes" / f"episode{episode}"
        return write_episode(folder, **(content | changes))

    return make
