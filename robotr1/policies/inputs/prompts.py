"""Build a model's inputs from questions: the chat text with its image, padded into batches."""

from collections.abc import Callable, Sequence
from typing import Protocol

from PIL import Image
from transformers import BatchFeature, ProcessorMixin

from robotr1.policies.inputs.images import load_image
from robotr1.special_tokens import refusal, special_token


class ImagePrompt(Protocol):
    """What a policy needs of a question: `Question`, `SftExample` and the benchmarks' items all fit."""

    prompt: str
    image: str  # path relative to the repository root


def conversation(prompt: str, image: Image.Image | None = None) -> list[dict]:
    """One user turn, the image before the text, as TRL builds it for training."""
    picture = {"type": "image"} if image is None else {"type": "image", "image": image}
    return [{"role": "user", "content": [picture, {"type": "text", "text": prompt}]}]


def chat_text(processor: ProcessorMixin, prompt: str) -> str:
    """A prompt in the policy's chat template, up to where the completion starts.

    Raises ValueError where the prompt contains a special token of the policy's tokenizer.
    """
    own = processor.tokenizer.all_special_tokens
    if found := special_token(prompt) or next((token for token in own if token in prompt), None):
        raise ValueError(f"the prompt {prompt[:200]!r} {refusal(found)}")
    return processor.apply_chat_template(conversation(prompt), tokenize=False, add_generation_prompt=True)


def batch_inputs(
    processor: ProcessorMixin,
    questions: Sequence[ImagePrompt],
    prefixes: Sequence[str] | None = None,
    load: Callable[[str], Image.Image] = load_image,
) -> BatchFeature:
    """A batch of prompts with their images, padded on the left; `prefixes` start the completions.

    `load` reads the image at a path. Raises ValueError where an image file is missing or broken.
    """
    texts = [chat_text(processor, question.prompt) for question in questions]
    if prefixes is not None:
        texts = [text + prefix for text, prefix in zip(texts, prefixes, strict=True)]
    images = [[load(question.image)] for question in questions]
    return processor(text=texts, images=images, padding=True, return_tensors="pt")
