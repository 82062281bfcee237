import dataclasses

import pytest
import torch

from robotr1.policies.generate import complete, generation_config
from robotr1.policies.inputs.images import load_image
from robotr1.policies.inputs.prompts import conversation
from robotr1.policies.load import load_policy


@pytest.fixture(scope="module")
def policy(base):
    return load_policy(base)


def test_batches_do_not_change_completions(policy, questions):
    longer = [
        dataclasses.replace(question, prompt=question.prompt + "\nTask left." * (i % 3))
        for i, question in enumerate(questions)
    ]
    one = complete(*policy, longer, batch_size=1, max_completion_length=16)
    assert one == complete(*policy, longer, batch_size=5, max_completion_length=16)
    assert one == complete(*policy, longer[::-1], batch_size=12, max_completion_length=16)[::-1]


def test_same_as_a_plain_generate(policy, questions):
    model, processor = policy
    chat = conversation(questions[0].prompt, load_image(questions[0].image))
    inputs = processor.apply_chat_template(
        chat, tokenize=True, add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    out = model.generate(**inputs, max_new_tokens=16, do_sample=False)[:, inputs["input_ids"].shape[1] :]
    want = processor.batch_decode(out, skip_special_tokens=True)
    assert complete(model, processor, questions[:1], batch_size=1, max_completion_length=16) == want


def test_a_policy_continues_its_prefixes(policy, questions):
    free = complete(*policy, questions[:4], batch_size=4, max_completion_length=60)
    prefixes = [text.partition("[[")[0] for text in free]  # "<answer> " is one token
    assert complete(*policy, questions[:4], batch_size=4, max_completion_length=60, prefixes=prefixes) == free
    letters = [f"{prefix}[[B]]" for prefix in prefixes]
    for text, letter in zip(
        complete(*policy, questions[:4], batch_size=3, max_completion_length=8, prefixes=letters), letters, strict=True
    ):
        assert text.startswith(letter)
    with pytest.raises(ValueError, match="zip"):
        complete(*policy, questions[:4], batch_size=4, max_completion_length=8, prefixes=prefixes[:2])


def test_image_tokens_are_never_generated(base, questions):
    model, processor = load_policy(base)
    likely = model.get_output_embeddings().weight
    with torch.no_grad():
        likely[processor.image_token_id] = 0
    hook = model.lm_head.register_forward_hook(
        lambda module, args, out: out.index_fill(-1, torch.tensor(processor.image_token_id), 1e4)
    )
    config = generation_config(model, processor, 8, 0.0)
    assert processor.image_token_id in config.suppress_tokens
    assert all(complete(model, processor, questions[:2], batch_size=2, max_completion_length=8))
    hook.remove()


def test_long_prompts_keep_their_image(policy, questions):
    long = dataclasses.replace(questions[0], prompt=questions[0].prompt * 60)
    answers = complete(*policy, [long, questions[1]], batch_size=2, max_completion_length=4)
    assert answers[1] == complete(*policy, questions[1:2], batch_size=1, max_completion_length=4)[0]


def test_sampling_follows_its_seed(policy, questions):
    def sample(seed):
        return complete(*policy, questions, batch_size=6, max_completion_length=16, temperature=1.0, seed=seed)

    assert sample(0) == sample(0)
    assert sample(0) != sample(1)


def test_the_image_controls_change_the_images(policy, questions, monkeypatch):
    model, processor = policy
    seen, shown, call = [], {}, type(processor).__call__

    def spy(self, images=None, **options):
        seen.extend(picture.tobytes() for (picture,) in images)
        return call(self, images=images, **options)

    monkeypatch.setattr(type(processor), "__call__", spy)
    for images in ("real", "blank", "shuffled"):
        seen.clear()
        complete(model, processor, questions, batch_size=12, max_completion_length=1, images=images)
        shown[images] = list(seen)
    assert len(set(shown["real"])) == 4
    assert len(set(shown["blank"])) == 1
    assert set(shown["shuffled"]) == set(shown["real"])
    assert not any(a == b for a, b in zip(shown["real"], shown["shuffled"], strict=True))


def test_bad_image_is_named(policy, questions, tmp_path):
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("cut.png", "absent.png"):
        broken = dataclasses.replace(questions[0], image=str(tmp_path / name))
        with pytest.raises(ValueError, match=name):
            complete(*policy, [broken], batch_size=1, max_completion_length=1)


def test_no_questions_give_no_completions(policy):
    assert complete(*policy, [], batch_size=4, max_completion_length=4) == []
