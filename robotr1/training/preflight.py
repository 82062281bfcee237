"""Check a run before its first step: answers, images and prompts, the base's chat template and image tokens.

Every message names the file and the fix.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import ProcessorMixin

from robotr1 import paths
from robotr1.policies.folders import PolicyError
from robotr1.policies.inputs.prompts import batch_inputs, chat_text


def check(model: torch.nn.Module, processor: ProcessorMixin, questions: Sequence[Any], base: str | Path) -> None:
    """Raises PolicyError for an unusable `base`, and ValueError for a question that cannot be trained on."""
    check_answers(questions)
    check_images(questions)
    check_prompts(processor, questions)
    check_chat(processor, base)
    check_image_tokens(model, processor, questions[0], base)


def check_answers(questions: Sequence[Any]) -> None:
    """Every multiple-choice question must have the letter of one of its options as its answer."""
    for question in questions:
        options = getattr(question, "options", None)
        if not options:
            continue
        letters = [chr(ord("A") + i) for i in range(len(options))]
        if question.answer not in letters:
            raise ValueError(
                f"{_place(question)}: the answer is {question.answer!r}, its options are {', '.join(letters)}; no "
                "completion could ever be right. Run the stage build_questions again."
            )


def check_images(questions: Sequence[Any]) -> None:
    """Every image file must exist, or a run would stop at the first step that reads a missing one."""
    images = {question.image: question for question in reversed(questions)}  # each with its first question
    missing = [image for image in images if not (paths.ROOT / image).is_file()]
    if missing:
        raise ValueError(
            f"{_place(images[missing[-1]])}: the image {missing[-1]} is missing ({len(missing)} of {len(images)} are). "
            "Run the stage extract_demos again."
        )


def check_prompts(processor: ProcessorMixin, questions: Sequence[Any]) -> None:
    """No prompt may hold a special token: it would be read as an image or as the end of a turn."""
    special = {processor.image_token, processor.video_token, *processor.tokenizer.all_special_tokens}
    for question in questions:
        if "<" in question.prompt and (found := [token for token in special if token in question.prompt]):
            raise ValueError(
                f"{_place(question)}: the prompt holds the special token {min(found)}. Change the task's instruction "
                "and run the stage build_questions again."
            )


def _place(question: Any) -> str:
    return f"{paths.relative(paths.QUESTIONS)}, {question.id}"


def check_chat(processor: ProcessorMixin, base: str | Path) -> None:
    """The base must have a chat template."""
    if not (processor.chat_template or processor.tokenizer.chat_template):
        raise PolicyError(
            f"{paths.relative(base)}: no chat template, so the base does not follow instructions. Take the -Instruct "
            "model, or copy chat_template.jinja from a model of the same family into this folder."
        )


def check_image_tokens(model: torch.nn.Module, processor: ProcessorMixin, question: Any, base: str | Path) -> None:
    """The prompt of one question must hold as many image tokens as the vision tower has features for its image."""
    config, folder = model.config, paths.relative(base)
    if config.image_token_id != processor.image_token_id:
        raise PolicyError(
            f"{folder}: the model's image token is {config.image_token_id}, the processor's is "
            f"{processor.image_token_id}. They belong to different models; copy the processor's files from the base."
        )
    images = chat_text(processor, question.prompt).count(processor.image_token)
    if images != 1:
        raise PolicyError(
            f"{folder}: the chat template writes {processor.image_token} {images} times for one image; take the "
            "template of the base."
        )
    inputs = batch_inputs(processor, [question])
    tokens = int((inputs["input_ids"] == config.image_token_id).sum())
    features = int(inputs["image_grid_thw"].prod()) // config.vision_config.spatial_merge_size**2
    if tokens != features:
        raise PolicyError(
            f"{folder}: the processor writes {tokens} image tokens where the vision tower gives {features} features: "
            "merge_size in its configuration is not the model's spatial_merge_size. Copy the processor's files from "
            "the base."
        )


def check_rewards(rewards: torch.Tensor, names: Sequence[str], completions: Sequence[str]) -> None:
    """`rewards` [rows, functions] must be finite: a NaN would spoil all weights."""
    bad = (~rewards.isfinite()).nonzero()
    if len(bad):
        row, column = bad[0].tolist()
        raise ValueError(
            f"the reward {names[column]} returned {rewards[row, column].item()} for {completions[row]!r}; a reward "
            "must be a finite number for any completion."
        )
