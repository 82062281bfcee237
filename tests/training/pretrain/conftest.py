import numpy as np
import pytest

from robotr1.policies import tiny
from robotr1.training.pretrain.image_examples import state_example
from robotr1.training.pretrain.recipe import vocabulary_texts
from robotr1.training.pretrain.scenes import random_scene
from robotr1.training.pretrain.snapshots import MOST_OBJECTS


@pytest.fixture(scope="session")
def tokenizer():
    return tiny.build_tokenizer(vocabulary_texts(np.random.default_rng(0), count=20))


@pytest.fixture
def examples():
    """Eight state examples."""
    rng = np.random.default_rng(0)
    return [state_example(random_scene(rng), rng) for _ in range(8)]


@pytest.fixture(scope="session")
def snapshots() -> dict[str, np.ndarray]:
    """Forty snapshots: bright with one object and the gripper open, or dark with two objects and one of them held."""
    rng, count = np.random.default_rng(0), 40
    bright = rng.random(count) < 0.5
    size = (count, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3)
    positions = np.where(bright[:, None, None], 0.3, -0.2) * np.ones((count, 1 + MOST_OBJECTS, 3))
    pixels = np.where(bright[:, None, None], 0.4, 0.6) * np.ones((count, 1 + MOST_OBJECTS, 2))
    positions[bright, 2], pixels[bright, 2] = np.nan, np.nan
    return {
        "images": (rng.integers(0, 40, size) + 200 * bright[:, None, None, None]).astype(np.uint8),
        "gripper": positions[:, 0],
        "objects": positions[:, 1:],
        "gripper_pixel": pixels[:, 0],
        "object_pixels": pixels[:, 1:],
        "open": bright,
        "held": ~bright,
        "task": np.where(bright, "push_button", "phone_on_base"),
    }
