import dataclasses
import re

import pytest
import torch

from robotr1.policies.inputs.images import blank_image
from robotr1.policies.inputs.prompts import batch_inputs, chat_text
from robotr1.policies.processor import load_processor


@pytest.fixture(scope="module")
def processor(base):
    return load_processor(base)


def test_a_batch_is_padded_on_the_left_and_its_prefixes_come_last(processor, questions):
    short, long = questions[0], dataclasses.replace(questions[1], prompt=questions[1].prompt * 2)
    inputs = batch_inputs(processor, [short, long], ["", "<think> It"])
    assert inputs["attention_mask"][:, -1].tolist() == [1, 1] and inputs["attention_mask"][0, 0] == 0
    (first, second) = processor.batch_decode(inputs["input_ids"], skip_special_tokens=True)
    assert first.endswith("assistant\n") and second.endswith("assistant\n<think> It")


def test_every_question_has_one_image(processor, questions):
    assert chat_text(processor, questions[0].prompt).count(processor.image_token) == 1
    real, blank = batch_inputs(processor, questions[:3]), batch_inputs(processor, questions[:3], load=blank_image)
    assert len(real["image_grid_thw"]) == 3
    assert not torch.equal(real["pixel_values"], blank["pixel_values"])
    assert blank["pixel_values"].unique(dim=0).shape[0] == 1


def test_as_many_prefixes_as_questions(processor, questions):
    with pytest.raises(ValueError, match="zip"):
        batch_inputs(processor, questions[:2], [""])


@pytest.mark.parametrize("token", ["<|image_pad|>", "<|video_pad|>", "<|im_start|>", "<|im_end|>"])
def test_a_prompt_with_a_special_token_is_refused(processor, token):
    with pytest.raises(ValueError, match=rf"the prompt 'pick up .*contains '{re.escape(token)}'"):
        chat_text(processor, f"pick up the {token} cup")
