import dataclasses
import shutil

import pytest
from small_settings import GRPO

from robotr1 import paths
from robotr1.policies.folders import PolicyError
from robotr1.policies.processor import load_processor
from robotr1.training import preflight
from robotr1.training.grpo import trainer as rl


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")


def no_step(base, questions, tmp_path):
    return rl.train(dataclasses.replace(GRPO, steps=1), questions, base, tmp_path / "models/none")


def test_a_good_run_passes(base, questions):
    trainer = rl.make_trainer(GRPO, questions, base, "good")
    preflight.check(trainer.model, trainer.processing_class, questions, base)


def test_an_answer_that_is_no_option(base, questions, tmp_path):
    wrong = [*questions[:5], dataclasses.replace(questions[5], answer="E"), *questions[6:]]
    with pytest.raises(ValueError, match=r"data/questions, .*episode5.*'E'.*A, B, C, D.*build_questions"):
        no_step(base, wrong, tmp_path)
    assert not (tmp_path / "models").exists()


def test_missing_images_are_found_before_the_first_step(base, questions, tmp_path):
    broken = [*questions[:5], *(dataclasses.replace(q, image=str(tmp_path / "absent.png")) for q in questions[5:7])]
    with pytest.raises(
        ValueError, match=r"data/questions, .*episode5.*absent\.png is missing \(1 of 5 are\).*extract_demos"
    ):
        no_step(base, broken, tmp_path)


@pytest.mark.parametrize("token", ["<|image_pad|>", "<|im_end|>", "<|video_pad|>"])
def test_a_special_token_in_a_prompt(base, questions, tmp_path, token):
    hostile = [*questions[:7], dataclasses.replace(questions[7], prompt=f"lift the {token} cup")]
    with pytest.raises(ValueError, match=r"data/questions, .*episode7.*special token <\|\w+\|>.*build_questions"):
        no_step(base, hostile, tmp_path)


def test_a_base_without_a_chat_template(base, questions, tmp_path):
    shutil.copytree(base, tmp_path / "mute")
    (tmp_path / "mute/chat_template.jinja").unlink()
    with pytest.raises(PolicyError, match="mute: no chat template.*copy"):
        no_step(tmp_path / "mute", questions, tmp_path)


@pytest.mark.parametrize("count", [0, 2])
def test_a_template_that_writes_another_number_of_images(base, questions, tmp_path, count):
    shutil.copytree(base, tmp_path / "odd")
    template = tmp_path / "odd/chat_template.jinja"
    template.write_text(template.read_text().replace("<|image_pad|>", count * "<|image_pad|>"))
    with pytest.raises(PolicyError, match=f"odd: .* {count} times for one image"):
        no_step(tmp_path / "odd", questions, tmp_path)


def test_a_processor_of_another_model(base, questions):
    trainer = rl.make_trainer(GRPO, questions, base, "odd")
    processor = load_processor(base)
    processor.image_processor.merge_size = 1
    with pytest.raises(PolicyError, match="base: .*image tokens where the vision tower gives"):
        preflight.check_image_tokens(trainer.model, processor, questions[0], base)
    trainer.model.config.image_token_id += 1
    with pytest.raises(PolicyError, match="base: .*image token is"):
        preflight.check_image_tokens(trainer.model, load_processor(base), questions[0], base)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_reward_that_is_no_number_stops_before_the_first_update(base, questions, value):
    trainer = rl.make_trainer(GRPO, questions, base, "nan")

    def broken(completions, **columns):
        return [1.0, value, *[1.0] * (len(completions) - 2)]

    trainer.reward_funcs[1], trainer.reward_func_names[1] = broken, "broken"
    with pytest.raises(ValueError, match=r"the reward broken returned (nan|inf) for"):
        trainer.train()
    assert trainer.state.global_step == 0
