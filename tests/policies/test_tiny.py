import functools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForImageTextToText

from robotr1.policies import tiny
from robotr1.policies.processor import load_processor
from robotr1.questions.prompts import completion_text, format_state

TEXTS = ["Task: pick up the red cup.", "The gripper is at", "move forward, slightly move left"]


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.build_tokenizer(TEXTS)


shared_tokenizer = functools.cache(lambda: tiny.build_tokenizer(TEXTS))  # hypothesis runs a test many times


@given(st.text(max_size=60))
def test_any_text_survives_the_tokenizer(text):
    tokenizer = shared_tokenizer()
    if not any(token in text for token in tiny.SPECIAL_TOKENS):
        ids = tokenizer(text, add_special_tokens=False).input_ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text


@given(st.lists(st.integers(-100, 200), min_size=3, max_size=3))
def test_a_position_is_three_number_tokens_and_a_bracket(hundredths):
    tokenizer = shared_tokenizer()
    text = " " + format_state([value / 100 for value in hundredths], 2)
    tokens = tokenizer.tokenize(text)
    assert len(tokens) == 4
    assert [round(100 * tiny.number_tokens()[token]) for token in tokens[:3]] == hundredths


def test_a_completion_is_short_and_its_letter_one_token(tokenizer):
    tokens = tokenizer.tokenize(completion_text("The gripper is at [0.27, -0.11, 1.15].", "C"))
    assert "[[C]]" in tokens and len(tokens) <= 16


def test_near_numbers_start_with_near_embeddings(tokenizer):
    model = tiny.build_model(tokenizer)
    weight = model.get_input_embeddings().weight

    def similarity(one: str, other: str) -> float:
        a, b = (weight[tokenizer.convert_tokens_to_ids(text)] for text in (one, other))
        return torch.cosine_similarity(a, b, dim=0).item()

    assert similarity(" [0.27", " [0.28") > 0.9 > 0.6 > similarity(" [0.27", " [0.9")
    assert model.lm_head.weight is weight, "nearby numbers have nearby logits because the output layer is tied"


def test_the_saved_folder_loads_like_a_hub_model(tokenizer, tmp_path):
    model = tiny.build_model(tokenizer).eval()
    tiny.save_tiny(tmp_path, model, tokenizer)
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    processor = load_processor(tmp_path)
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Where is the gripper?"}]}]
    text = processor.apply_chat_template(chat, add_generation_prompt=True)
    inputs = processor(text=[text], images=[image], return_tensors="pt")
    assert (inputs["input_ids"] == model.config.image_token_id).sum() == (tiny.IMAGE_SIZE // 28) ** 2
    with torch.no_grad():
        assert torch.equal(loaded(**inputs).logits, model(**inputs).logits)


def test_the_same_seed_gives_the_same_weights(tokenizer):
    one, other = tiny.build_model(tokenizer, 1).state_dict(), tiny.build_model(tokenizer, 1).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
