from dataclasses import replace

import numpy as np
import pytest
import torch

from robotr1.policies import tiny
from robotr1.training.pretrain import tower, vision
from robotr1.training.pretrain import run as pretrain
from robotr1.training.pretrain.snapshots import MOST_OBJECTS

RECIPE = vision.VisionRecipe(cut_steps=3, steps=5, batch_size=4, cut_batch_size=4, warmup=2)
COUNT = 40


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.build_tokenizer(pretrain.vocabulary_texts(np.random.default_rng(0), count=20))


@pytest.fixture
def visual(tokenizer):
    return tiny.build_model(tokenizer).model.visual


@pytest.fixture
def data() -> dict[str, np.ndarray]:
    """Bright images with one object and an open gripper, dark ones with two and a closed gripper that holds one."""
    rng = np.random.default_rng(0)
    bright = rng.random(COUNT) < 0.5
    size = (COUNT, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3)
    places = np.where(bright[:, None, None], 0.3, -0.2) * np.ones((COUNT, 1 + MOST_OBJECTS, 3))
    pixels = np.where(bright[:, None, None], 0.4, 0.6) * np.ones((COUNT, 1 + MOST_OBJECTS, 2))
    places[bright, 2], pixels[bright, 2] = np.nan, np.nan
    return {
        "images": (rng.integers(0, 40, size) + 200 * bright[:, None, None, None]).astype(np.uint8),
        "gripper": places[:, 0],
        "objects": places[:, 1:],
        "gripper_pixel": pixels[:, 0],
        "object_pixels": pixels[:, 1:],
        "open": bright,
        "held": ~bright,
    }


@pytest.mark.parametrize("size", [tiny.IMAGE_SIZE, 56])
def test_the_fast_pass_gives_the_tokens_of_the_models_own(visual, size):
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    doubled = tower.patches(images).unflatten(-1, (3, 1, 196)).expand(-1, -1, -1, 2, -1).flatten(2).flatten(0, 1)
    cells = size // tower.CELL
    with torch.no_grad():
        expected = visual(doubled, grid_thw=torch.tensor([[1, 2 * cells, 2 * cells]] * 3)).pooler_output
        tokens = vision.VisionTraining(visual, RECIPE).look(images)
    torch.testing.assert_close(tokens.flatten(0, 1), expected, atol=1e-4, rtol=1e-4)


def test_patches_are_those_of_the_processor():
    images = np.random.default_rng(0).integers(0, 256, (3, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3), dtype=np.uint8)
    expected = tiny.image_processor()(images=list(images), return_tensors="pt")["pixel_values"]
    frames = expected.unflatten(-1, (3, 2, 196))
    assert torch.equal(frames[:, :, 0], frames[:, :, 1])
    assert torch.equal(tower.patches(images).flatten(0, 1), frames[:, :, 0].flatten(1))


def test_the_image_loss_is_zero_for_the_truth_and_bears_tasks_with_fewer_objects(data):
    targets = vision.image_targets(data, np.arange(COUNT))
    assert targets.places.isnan().any()
    parts = [targets.places, targets.waves.flatten(1), 40 * targets.flags - 20]
    truth = torch.cat([part.nan_to_num(7.0) for part in parts], dim=1)
    assert vision.image_loss(truth, targets) < 1e-6
    assert vision.image_loss(truth + 0.01, targets) > 0.02


def test_training_lowers_every_error(visual, data, tmp_path):
    recipe = replace(RECIPE, cut_steps=10, steps=60, batch_size=12, cut_batch_size=12, warmup=5)
    rows = []
    training = vision.VisionTraining(visual, recipe)
    vision.train_vision(training, data, data, tmp_path / "vision.pt", lambda **row: rows.append(row), every=35)
    last = rows[-1]
    for way in ("mean", "pooled"):
        assert last[f"{way}_gripper_cm"] < 5 and last[f"{way}_object_cm"] < 5
        assert last[f"{way}_open"] == 1 and last[f"{way}_held"] == 1
    assert last["window_open"] == 1
    assert last["window_tip_px"] < rows[0]["window_tip_px"]


@pytest.mark.parametrize("stop", [2, 5])
def test_a_resumed_run_equals_an_uninterrupted_one(tokenizer, data, tmp_path, stop):
    """Stopped among the cuts, and among the whole images."""

    def run(path, steps: int | None) -> vision.VisionTraining:
        training = vision.VisionTraining(tiny.build_model(tokenizer).model.visual, RECIPE)

        def log(step, **_):
            if step == steps:
                raise KeyboardInterrupt

        try:
            vision.train_vision(training, data, data, path, log, every=1)
        except KeyboardInterrupt:
            pass
        return training

    whole = run(tmp_path / "whole.pt", None)
    assert run(tmp_path / "parts.pt", stop).step == stop
    parts = run(tmp_path / "parts.pt", None)
    assert parts.step == whole.step == RECIPE.cut_steps + RECIPE.steps
    for name in ("visual", "image_head", "window_head"):
        for key, value in getattr(whole, name).state_dict().items():
            assert torch.equal(value, getattr(parts, name).state_dict()[key]), (name, key)


def test_rates_rise_twice_and_end_near_zero(visual):
    training = vision.VisionTraining(visual, replace(RECIPE, cut_steps=100, steps=100, warmup=10))
    factors = []
    for training.step in range(200):
        factors.append(training.rate_factor())
    assert factors[0] == factors[100] == pytest.approx(0.1)
    assert factors[50] == factors[150] == 1
    assert 0 < factors[-1] < 0.05
