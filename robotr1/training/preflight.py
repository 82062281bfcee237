"""Check a run before its first step: the base's chat template and image tokens, the answers, finite rewards."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import ProcessorMixin

from robotr1.policies.folders import PolicyError
from robotr1.policies.inputs import batch_inputs, chat_text


def check(model: torch.nn.Module, processor: ProcessorMixin, questions: Sequence[Any]) -> None:
    """Raises PolicyError for an unusable base, and ValueError for a question that no answer can be right for."""
    check_answers(questions)
    check_chat(processor)
    check_image_tokens(model, processor, questions[0])


def check_answers(questions: Sequence[Any]) -> None:
    """Every multiple-choice question must have the letter of one of its options as its answer."""
    for question in questions:
        options = getattr(question, "options", None)
        if not options:
            continue
        letters = [chr(ord("A") + i) for i in range(len(options))]
        if question.answer not in letters:
            raise ValueError(
                f"{question.id}: the answer is {question.answer!r}, its options are {', '.join(letters)}; no "
                "completion could ever be right. Run the stage build_questions again."
            )


def check_chat(processor: ProcessorMixin) -> None:
    """The base must have a chat template."""
    if not (processor.chat_template or processor.tokenizer.chat_template):
        raise PolicyError(
            "the base has no chat template, so it does not follow instructions. Take the -Instruct model, or copy "
            "chat_template.jinja from a model of the same family into its folder."
        )


def check_image_tokens(model: torch.nn.Module, processor: ProcessorMixin, question: Any) -> None:
    """The prompt of one question must hold as many image tokens as the vision tower has features for its image."""
    config = model.config
    if config.image_token_id != processor.image_token_id:
        raise PolicyError(
            f"the model's image token is {config.image_token_id}, the processor's {processor.image_token_id}: they "
            "belong to different models. Copy the processor's files from the base."
        )
    images = chat_text(processor, question.prompt).count(processor.image_token)
    if images != 1:
        raise PolicyError(
            f"the chat template writes {processor.image_token} {images} times for one image; take the template of the "
            "base, and keep that word out of prompts."
        )
    inputs = batch_inputs(processor, [question])
    tokens = int((inputs["input_ids"] == config.image_token_id).sum())
    features = int(inputs["image_grid_thw"].prod()) // config.vision_config.spatial_merge_size**2
    if tokens != features:
        raise PolicyError(
            f"the processor writes {tokens} image tokens where the vision tower gives {features} features: merge_size "
            "in its configuration is not the model's spatial_merge_size. Copy the processor's files from the base."
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
