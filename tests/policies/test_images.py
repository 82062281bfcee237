import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robotr1.policies.generate import conversation
from robotr1.policies.images import _Recent, encode_images_once, exchange, load_image, prepare_images_once
from robotr1.policies.load import load_policy


@pytest.fixture(scope="module")
def policy(base):
    return load_policy(base)


def batch(processor, questions):
    texts = [processor.apply_chat_template(conversation(q.prompt), tokenize=False) for q in questions]
    return processor(text=texts, images=[[load_image(q.image)] for q in questions], padding=True, return_tensors="pt")


def test_prepared_once_and_the_same(policy, questions, tmp_path):
    _, processor = policy
    plain = batch(processor, questions)
    inner = processor.image_processor
    with prepare_images_once(processor):
        once = batch(processor, questions)
        assert len(processor.image_processor.recent) == 4
        processor.save_pretrained(tmp_path)
    assert processor.image_processor is inner
    assert "Qwen2VLImageProcessor" in (tmp_path / "processor_config.json").read_text()
    for key in plain:
        assert torch.equal(plain[key], once[key]), key


def test_encoded_once_and_the_same(policy, questions):
    model, processor = policy
    inputs = batch(processor, questions)
    encoded = []
    hook = model.model.visual.register_forward_hook(lambda *args: encoded.append(len(args[1][0])))
    with torch.no_grad():
        plain = model(**inputs).logits
        with encode_images_once(model):
            once, again = model(**inputs).logits, model(**inputs).logits
    hook.remove()
    patches = len(inputs["pixel_values"])
    assert encoded == [patches, patches // 3]  # 12 questions about 4 images
    torch.testing.assert_close(once, plain, rtol=1e-4, atol=1e-4)
    assert torch.equal(once, again)
    assert "get_image_features" not in vars(model.model)


def test_oldest_goes_first():
    recent = _Recent(capacity=25)
    for i in range(3):
        recent.put(bytes([i]), i, 10)
    assert list(recent) == [b"\x01", b"\x02"]
    assert recent.take([b"\x01", b"\x09"]) == {b"\x01": 1}
    recent.put(b"\x03", 3, 10)
    assert list(recent) == [b"\x01", b"\x03"]


def test_a_batch_larger_than_the_capacity_is_whole(policy, questions):
    """Images held from the last batch must not be pushed out by this batch's own before they are used."""
    model, processor = policy
    images = [load_image(path) for path in sorted({question.image for question in questions})]
    orders = [images[:1], [*images[1:], images[0]], images]
    expected = [processor.image_processor(images=order, return_tensors="pt") for order in orders]
    with prepare_images_once(processor, capacity=1), encode_images_once(model, capacity=1):
        for order, plain in zip(orders, expected, strict=True):
            once = processor.image_processor(images=order, return_tensors="pt")
            assert torch.equal(once["pixel_values"], plain["pixel_values"])
            features = model.model.get_image_features(once["pixel_values"], once["image_grid_thw"]).pooler_output
            assert len(features) == len(order)


@given(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=20), st.integers(0, 100))
def test_exchange_is_a_permutation_without_fixed_points(names, seed):
    other = exchange(names, seed)
    assert set(other) == set(other.values()) == set(names)
    if len(other) > 1:
        assert all(key != value for key, value in other.items())
    assert other == exchange(names[::-1], seed)


def test_load_image_is_rgb(questions):
    assert np.asarray(load_image(questions[0].image)).shape == (56, 56, 3)
