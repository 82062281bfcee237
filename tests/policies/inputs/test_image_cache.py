import pytest
import torch

from robotr1.policies.inputs.image_cache import encode_images_once, prepare_images_once
from robotr1.policies.inputs.images import load_image
from robotr1.policies.inputs.prompts import batch_inputs
from robotr1.policies.load import load_policy


@pytest.fixture(scope="module")
def policy(base):
    return load_policy(base)


def test_each_image_is_prepared_once_with_the_same_result(policy, questions, tmp_path):
    _, processor = policy
    plain = batch_inputs(processor, questions)
    inner = processor.image_processor
    with prepare_images_once(processor):
        once = batch_inputs(processor, questions)
        assert len(processor.image_processor.cache) == 4
        processor.save_pretrained(tmp_path)
    assert processor.image_processor is inner
    assert "Qwen2VLImageProcessor" in (tmp_path / "processor_config.json").read_text()
    for key in plain:
        assert torch.equal(plain[key], once[key]), key


def test_each_image_is_encoded_once_with_the_same_result(policy, questions):
    model, processor = policy
    inputs = batch_inputs(processor, questions)
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


def test_the_least_recently_used_images_leave_the_cache_first(policy, questions):
    _, processor = policy
    images = [load_image(path) for path in sorted({question.image for question in questions})][:3]
    size = processor.image_processor(images=images[:1], return_tensors="np")["pixel_values"].nbytes
    with prepare_images_once(processor, capacity=2 * size):
        first, second, third = (
            (processor.image_processor(images=[image]), set(processor.image_processor.cache))[1] for image in images
        )
        assert len(first) == 1 and len(second) == len(third) == 2 and not first & third
        processor.image_processor(images=images[1:2])
        processor.image_processor(images=images[:1])
        assert set(processor.image_processor.cache) == second


def test_a_batch_larger_than_the_capacity_is_whole(policy, questions):
    """Images cached from the last batch must not be evicted by this batch's own before they are used."""
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
