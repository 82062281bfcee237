import numpy as np
import pytest
import torch

from robotr1.policies import tiny
from robotr1.training.pretrain import tower


def test_patches_are_those_of_the_processor():
    images = np.random.default_rng(0).integers(0, 256, (3, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3), dtype=np.uint8)
    expected = tiny.image_processor()(images=list(images), return_tensors="pt")["pixel_values"]
    frames = expected.unflatten(-1, (3, 2, 196))
    assert torch.equal(frames[:, :, 0], frames[:, :, 1])
    assert torch.equal(tower.patches(images).flatten(0, 1), frames[:, :, 0].flatten(1))


@pytest.mark.parametrize("size", [tiny.IMAGE_SIZE, 56])
def test_tokens_are_those_of_the_models_own_pass(tokenizer, size):
    visual = tiny.build_model(tokenizer).model.visual
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    doubled = tower.patches(images).unflatten(-1, (3, 1, 196)).expand(-1, -1, -1, 2, -1).flatten(2).flatten(0, 1)
    cells = size // tower.CELL
    with torch.no_grad():
        expected = visual(doubled, grid_thw=torch.tensor([[1, 2 * cells, 2 * cells]] * 3)).pooler_output
        tokens = tower.look(visual, images)
    assert tokens.shape == (3, cells * cells, tiny.HIDDEN)
    torch.testing.assert_close(tokens.flatten(0, 1), expected, atol=1e-4, rtol=1e-4)


def test_features_of_a_data_set_do_not_depend_on_the_block(tokenizer):
    model = tiny.build_model(tokenizer)
    images = np.random.default_rng(0).integers(0, 256, (5, 56, 56, 3), dtype=np.uint8)
    torch.testing.assert_close(tower.all_features(model, images, block=2), tower.all_features(model, images))
