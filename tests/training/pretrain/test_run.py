import numpy as np
import pytest
import torch

from robotr1.policies import tiny
from robotr1.policies.processor import ImageTextProcessor
from robotr1.training.pretrain import examples as lessons
from robotr1.training.pretrain import language as speaking
from robotr1.training.pretrain import run as pretrain
from robotr1.training.pretrain import vision as seeing
from robotr1.training.pretrain.batches import IMAGE_TOKENS, Batcher


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.build_tokenizer(pretrain.vocabulary_texts(np.random.default_rng(0), count=20))


@pytest.fixture(scope="module")
def model(tokenizer):
    return tiny.build_model(tokenizer)


def some_lessons(count: int = 4) -> list:
    rng = np.random.default_rng(0)
    return [lessons.state_lesson(lessons.imagined_scene(rng), rng) for _ in range(count)]


def test_patches_are_those_of_the_processor():
    images = np.random.default_rng(0).integers(0, 256, (3, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3), dtype=np.uint8)
    expected = tiny.image_processor()(images=list(images), return_tensors="pt")["pixel_values"]
    assert torch.equal(seeing.patches(images), expected)


def test_a_batch_is_what_processor_and_model_make_of_the_same_chat(tokenizer, model):
    """Token ids, positions and logits of a lesson equal those of the chat template and the model's own forward pass."""
    processor = ImageTextProcessor(tiny.image_processor(), tokenizer, chat_template=tiny.CHAT_TEMPLATE)
    images = np.random.default_rng(0).integers(0, 256, (2, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3), dtype=np.uint8)
    pair = some_lessons(2)
    batch = Batcher(tokenizer)(pair)
    chats = [
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": lesson.prompt}]}] for lesson in pair
    ]
    texts = [
        processor.apply_chat_template(chat, add_generation_prompt=True) + lesson.completion + "<|im_end|>"
        for chat, lesson in zip(chats, pair, strict=True)
    ]
    with torch.no_grad():
        for row, text in enumerate(texts):
            inputs = processor(text=[text], images=[images[row]], return_tensors="pt")
            length = inputs["input_ids"].shape[1]
            assert torch.equal(batch.ids[row, :length], inputs["input_ids"][0])
            expected = model(**inputs).logits[0]
            features = seeing.image_features(model, images[row : row + 1]).reshape(-1, tiny.HIDDEN)
            embeddings = model.get_input_embeddings()(batch.ids[row : row + 1, :length])
            mask = (batch.ids[row : row + 1, :length] == model.config.image_token_id)[..., None]
            hidden = model.model.language_model(
                inputs_embeds=embeddings.masked_scatter(mask, features),
                position_ids=batch.positions[:, row : row + 1, :length],
            )[0]
            torch.testing.assert_close(model.lm_head(hidden)[0], expected, atol=1e-4, rtol=1e-4)


def test_only_the_answer_counts_and_letters_count_more(tokenizer):
    batcher = Batcher(tokenizer)
    for lesson in some_lessons():
        ids, weights = batcher.sequence(lesson)
        assert ids.count(batcher.image) == IMAGE_TOKENS
        answer = [token for token, weight in zip(ids, weights, strict=True) if weight]
        assert tokenizer.decode(answer) == lesson.completion + "<|im_end|>"
        heavy = [token for token, weight in zip(ids, weights, strict=True) if weight == lessons.LETTER_WEIGHT]
        assert [token in batcher.letters for token in heavy] == [True]


def test_seeing_learns_places_and_bears_tasks_with_fewer_things(model):
    """Two kinds of pictures, bright ones with one thing and dark ones with two; the errors shrink."""
    rng = np.random.default_rng(0)
    bright = rng.random(200) < 0.5
    size = (200, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3)
    images = (rng.integers(0, 40, size) + 200 * bright[:, None, None, None]).astype(np.uint8)
    places = np.where(bright[:, None, None], 0.3, -0.2) * np.ones((200, 3, 3))
    places[bright, 2] = np.nan
    rows = []
    data = {"images": images, "gripper": places[:, 0], "objects": places[:, 1:]}
    seeing.learn_to_see(model, data, rng, 100, 16, 2e-3, lambda **values: rows.append(values))
    assert rows[-1]["gripper_error_cm"] < 5
    assert rows[-1]["thing_error_cm"] < 5


def test_reading_points_at_the_right_option(tokenizer):
    rng = np.random.default_rng(1)
    batcher = Batcher(tokenizer)
    makers = [lessons.state_lesson, lessons.waypoint_lesson, lessons.movement_lesson]
    for make in makers * 5:
        lesson = make(lessons.imagined_scene(rng), rng)
        ids, weights = batcher.sequence(lesson)
        options, queries = batcher.reading(ids, weights)
        assert len(options) == 4 and len(queries) == 1
        ((query, word),) = queries
        letter_of = {last: ids[letter] for letter, last in options}
        assert ids[query + 1] == letter_of[word]


def test_each_difference_is_shown_its_two_numbers(tokenizer):
    rng = np.random.default_rng(2)
    batcher = Batcher(tokenizer)
    metres = {tokenizer.convert_tokens_to_ids(text): value for text, value in tiny.number_tokens().items()}
    for lesson in [lessons.movement_lesson(lessons.imagined_scene(rng), rng), lessons.reckoning_drill(rng)] * 5:
        ids, weights = batcher.sequence(lesson)
        found = batcher.subtracting(ids, weights)
        assert len(found) == (3 if isinstance(lesson, lessons.Lesson) else 15)
        for place, here, there in found:
            assert metres[ids[place + 1]] == pytest.approx(metres[ids[there]] - metres[ids[here]])
    assert batcher.subtracting(*batcher.sequence(lessons.caption_lesson(lessons.imagined_scene(rng), rng))) == []


def test_the_names_of_things_and_gripper_weigh_alike(tokenizer):
    """Where they did not, the base spoke of the gripper six times less often than its lessons did."""
    batcher = Batcher(tokenizer, lessons.NAME_WEIGHT)
    for name in lessons.NAMES:
        ids, weights = batcher.sequence(lessons.Lesson("Describe the image.", f"The {name} is at [0, 0, 1]."))
        assert weights[ids.index(batcher.encode(f" {name}")[0], len(ids) - 12)] == lessons.NAME_WEIGHT


@pytest.mark.parametrize("guidance", [0.0, 0.3])
def test_a_few_steps_lower_the_loss_and_leave_the_vision_tower_alone(tokenizer, guidance):
    model = tiny.build_model(tokenizer)
    before = {name: value.clone() for name, value in model.named_parameters()}
    batch, rows = some_lessons(8), []
    features = torch.randn(8 * IMAGE_TOKENS, tiny.HIDDEN)
    repeated = iter(lambda: (batch, features), None)
    speaking.learn_language(
        model, repeated, Batcher(tokenizer), 50, 2e-3, guidance, lambda **values: rows.append(values)
    )
    assert rows[-1]["loss"] < rows[0]["loss"]
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name]) == (".visual." in name), name


def test_a_stage_that_has_run_is_loaded_not_run(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrain, "FOLDER", tmp_path)
    model, runs = tiny.build_model(tokenizer), []

    def match(rng, log):
        runs.append(rng.integers(100))
        with torch.no_grad():
            model.lm_head.weight.fill_(0.5)
        log(step=1)

    pretrain.run_stage(match, pretrain.LANGUAGE, model, np.random.default_rng(0))
    other = tiny.build_model(tokenizer, seed=5)
    pretrain.run_stage(match, pretrain.LANGUAGE, other, np.random.default_rng(0))
    assert len(runs) == 1
    assert torch.equal(other.lm_head.weight, model.lm_head.weight)
