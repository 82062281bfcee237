from dataclasses import replace

import numpy as np
import pytest
import torch

from robotr1.policies.adapters import add_lora
from robotr1.policies.attention import image_attention
from robotr1.policies.load import load_policy

COMPLETION = "<think> The cup is at [0.14, 0.12, 0.81]. </think> <answer> [[A]] </answer>"
PLACE = slice(COMPLETION.index("0.14"), COMPLETION.index("]"))


@pytest.fixture(scope="module")
def policy(base):
    return load_policy(base)


def test_every_patch_gets_a_share_of_the_attention(policy, questions):
    model, processor = policy
    maps = image_attention(*policy, questions[0], COMPLETION, PLACE)
    config = model.config.text_config
    grid = processor.image_processor(images=[np.zeros((224, 224, 3), np.uint8)])["image_grid_thw"][0]
    assert maps.shape == (config.num_hidden_layers, config.num_attention_heads, grid[1] // 2, grid[2] // 2)
    assert (maps >= 0).all()
    shares = maps.sum(axis=(2, 3))
    assert (shares > 0).all()
    assert (shares < 1).all()


def test_maps_of_words_add_up(policy, questions):
    """The map of several words is the mean of the maps of each."""
    model, processor = policy
    maps = image_attention(*policy, questions[0], COMPLETION, PLACE)
    everything = slice(0, len(COMPLETION))
    whole = image_attention(*policy, questions[0], COMPLETION, everything)
    ids = processor.tokenizer(COMPLETION, return_offsets_mapping=True)["offset_mapping"]
    numbers = [i for i, (begin, end) in enumerate(ids) if begin < PLACE.stop and end > PLACE.start]
    single = [image_attention(*policy, questions[0], COMPLETION, slice(*ids[i])) for i in range(len(ids))]
    np.testing.assert_allclose(maps, np.mean([single[i] for i in numbers], axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(whole, np.mean(single, axis=0), rtol=1e-4, atol=1e-6)
    assert not np.allclose(maps, whole, rtol=1e-2)


def test_later_tokens_change_nothing(policy, questions):
    """Attention is causal."""
    longer = COMPLETION.replace("[[A]]", "[[B]]")
    one, other = (image_attention(*policy, questions[0], text, PLACE) for text in (COMPLETION, longer))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_another_image_gives_another_map(policy, questions):
    other = next(question for question in questions if question.image != questions[0].image)
    swapped = replace(questions[0], image=other.image)
    one, two = (image_attention(*policy, question, COMPLETION, PLACE) for question in (questions[0], swapped))
    assert one.shape == two.shape
    assert not np.allclose(one, two, rtol=1e-3)


def test_an_adapter_changes_the_map_and_the_attention_implementation_is_restored(base, questions):
    model, processor = load_policy(base)
    before = model.config._attn_implementation
    plain = image_attention(model, processor, questions[0], COMPLETION, PLACE)
    adapted = add_lora(model, rank=2, alpha=4)
    np.testing.assert_allclose(image_attention(adapted, processor, questions[0], COMPLETION, PLACE), plain, rtol=1e-4)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    assert not np.allclose(image_attention(adapted, processor, questions[0], COMPLETION, PLACE), plain, rtol=1e-2)
    assert adapted.config._attn_implementation == before


def test_characters_without_a_token_are_an_error(policy, questions):
    with pytest.raises(ValueError, match="no token .* characters 500 to 501"):
        image_attention(*policy, questions[0], COMPLETION, slice(500, 501))
