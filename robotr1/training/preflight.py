"""What would spoil a run, said before its first step: a base that cannot chat or see, questions without an answer."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import ProcessorMixin

from robotr1.policies.folders import PolicyError
from robotr1.policies.images import load_image
from robotr1.policies.inputs import conversation


def check(model: torch.nn.Module, processor: ProcessorMixin, questions: Sequence[Any]) -> None:
    """Raises PolicyError for an unusable base and ValueError for a question that no answer can be right for."""
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
    """A base must say how a chat is written."""
    if not (processor.chat_template or processor.tokenizer.chat_template):
        raise PolicyError(
            "the base has no chat template, so it is no model that follows instructions. Take the -Instruct model, or "
            "copy chat_template.jinja of one of the same family into its folder."
        )


def check_image_tokens(model: torch.nn.Module, processor: ProcessorMixin, question: Any) -> None:
    """The prompt of one question must hold as many image tokens as the vision tower writes for its image."""
    config = model.config
    if config.image_token_id != processor.image_token_id:
        raise PolicyError(
            f"the model's image token is {config.image_token_id}, the processor's {processor.image_token_id}: they are "
            "of different models. Copy the processor's files from the base."
        )
    chat = [conversation(question.prompt, load_image(question.image))]
    text = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    places = text[0].count(processor.image_token)
    if places != 1:
        raise PolicyError(
            f"the chat template writes {processor.image_token} {places} times for one image; take the template of the "
            "base, and keep that word out of prompts."
        )
    inputs = processor(text=text, images=[[load_image(question.image)]], return_tensors="pt")
    found = int((inputs["input_ids"] == config.image_token_id).sum())
    wanted = int(inputs["image_grid_thw"].prod()) // config.vision_config.spatial_merge_size**2
    if found != wanted:
        raise PolicyError(
            f"the processor writes {found} image tokens where the vision tower gives {wanted} features: merge_size in "
            "its configuration is not the model's spatial_merge_size. Copy the processor's files from the base."
        )


def check_rewards(rewards: torch.Tensor, names: Sequence[str], completions: Sequence[str]) -> None:
    """`rewards` [rows, functions] must be finite: a NaN would spoil all weights, or count as nothing."""
    broken = (~rewards.isfinite()).nonzero()
    if len(broken):
        row, column = broken[0].tolist()
        raise ValueError(
            f"the reward {names[column]} gave {rewards[row, column].item()} for {completions[row]!r}; a reward must "
            "be a number for whatever a model writes."
        )
