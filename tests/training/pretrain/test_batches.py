import numpy as np
import pytest
import torch

from robotr1.policies import tiny
from robotr1.policies.processor import ImageTextProcessor
from robotr1.training.pretrain.batches import IMAGE_TOKENS, NAME_WEIGHT, Batcher
from robotr1.training.pretrain.image_examples import (
    ImageExample,
    caption_example,
    movement_example,
    state_example,
    waypoint_example,
)
from robotr1.training.pretrain.scenes import NAMES, random_scene
from robotr1.training.pretrain.text_examples import LETTER_WEIGHT, displacement_example
from robotr1.training.pretrain.tower import look


def test_a_batch_is_what_processor_and_model_make_of_the_same_chat(tokenizer, examples):
    """Token ids, positions and logits equal those of the chat template and the model's own forward pass."""
    processor = ImageTextProcessor(tiny.image_processor(), tokenizer, chat_template=tiny.CHAT_TEMPLATE)
    images = np.random.default_rng(0).integers(0, 256, (2, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3), dtype=np.uint8)
    model, pair = tiny.build_model(tokenizer), examples[:2]
    batch = Batcher(tokenizer)(pair)
    chats = [
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": example.prompt}]}] for example in pair
    ]
    texts = [
        processor.apply_chat_template(chat, add_generation_prompt=True) + example.completion + "<|im_end|>"
        for chat, example in zip(chats, pair, strict=True)
    ]
    with torch.no_grad():
        for row, text in enumerate(texts):
            inputs = processor(text=[text], images=[images[row]], return_tensors="pt")
            length = inputs["input_ids"].shape[1]
            assert torch.equal(batch.ids[row, :length], inputs["input_ids"][0])
            expected = model(**inputs).logits[0]
            features = look(model.model.visual, images[row : row + 1]).reshape(-1, tiny.HIDDEN)
            embeddings = model.get_input_embeddings()(batch.ids[row : row + 1, :length])
            mask = (batch.ids[row : row + 1, :length] == model.config.image_token_id)[..., None]
            hidden = model.model.language_model(
                inputs_embeds=embeddings.masked_scatter(mask, features),
                position_ids=batch.positions[:, row : row + 1, :length],
            )[0]
            torch.testing.assert_close(model.lm_head(hidden)[0], expected, atol=1e-4, rtol=1e-4)


def test_only_the_answer_counts_and_letters_count_more(tokenizer, examples):
    batcher = Batcher(tokenizer)
    for example in examples:
        ids, weights = batcher.sequence(example)
        assert ids.count(batcher.image) == IMAGE_TOKENS
        answer = [token for token, weight in zip(ids, weights, strict=True) if weight]
        assert tokenizer.decode(answer) == example.completion + "<|im_end|>"
        heavy = [token for token, weight in zip(ids, weights, strict=True) if weight == LETTER_WEIGHT]
        assert [token in batcher.letters for token in heavy] == [True]


def test_the_query_target_is_the_right_option(tokenizer):
    rng = np.random.default_rng(1)
    batcher = Batcher(tokenizer)
    makers = [state_example, waypoint_example, movement_example]
    for make in makers * 5:
        example = make(random_scene(rng), rng)
        ids, weights = batcher.sequence(example)
        options, queries = batcher.option_targets(ids, weights)
        assert len(options) == 4 and len(queries) == 1
        ((query, word),) = queries
        letter_of = {last: ids[letter] for letter, last in options}
        assert ids[query + 1] == letter_of[word]


def test_difference_targets_are_the_two_numbers(tokenizer):
    rng = np.random.default_rng(2)
    batcher = Batcher(tokenizer)
    metres = {tokenizer.convert_tokens_to_ids(text): value for text, value in tiny.number_tokens().items()}
    for example in [movement_example(random_scene(rng), rng), displacement_example(rng)] * 5:
        ids, weights = batcher.sequence(example)
        found = batcher.difference_targets(ids, weights)
        assert len(found) == (3 if isinstance(example, ImageExample) else 15)
        for token, here, there in found:
            assert metres[ids[token + 1]] == pytest.approx(metres[ids[there]] - metres[ids[here]])
    assert batcher.difference_targets(*batcher.sequence(caption_example(random_scene(rng), rng))) == []


def test_the_names_of_objects_and_gripper_weigh_alike(tokenizer):
    """With different weights the base named the gripper six times less often than its examples."""
    batcher = Batcher(tokenizer, NAME_WEIGHT)
    for name in NAMES:
        ids, weights = batcher.sequence(ImageExample("Describe the image.", f"The {name} is at [0, 0, 1]."))
        assert weights[ids.index(batcher.encode(f" {name}")[0], len(ids) - 12)] == NAME_WEIGHT
