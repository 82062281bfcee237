import numpy as np
import torch

from robotr1.policies import tiny
from robotr1.training.pretrain import vision
from robotr1.training.pretrain.vision import train_vision


def test_patches_are_those_of_the_processor():
    images = np.random.default_rng(0).integers(0, 256, (3, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3), dtype=np.uint8)
    expected = tiny.image_processor()(images=list(images), return_tensors="pt")["pixel_values"]
    assert torch.equal(vision.patches(images), expected)


def test_vision_learns_positions_also_of_tasks_with_fewer_objects(tokenizer):
    """Two kinds of images, bright ones with one object and dark ones with two; the errors shrink."""
    model, rng = tiny.build_model(tokenizer), np.random.default_rng(0)
    bright = rng.random(200) < 0.5
    size = (200, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3)
    images = (rng.integers(0, 40, size) + 200 * bright[:, None, None, None]).astype(np.uint8)
    positions = np.where(bright[:, None, None], 0.3, -0.2) * np.ones((200, 3, 3))
    positions[bright, 2] = np.nan
    rows = []
    data = {"images": images, "gripper": positions[:, 0], "objects": positions[:, 1:]}
    train_vision(model, data, rng, 100, 16, 2e-3, lambda **values: rows.append(values))
    assert rows[-1]["gripper_error_cm"] < 5
    assert rows[-1]["thing_error_cm"] < 5
