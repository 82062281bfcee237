"""Attention maps: how much the tokens of an answer attend to each patch of the image."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from transformers import ProcessorMixin

from robotr1.policies.inputs.images import load_image
from robotr1.policies.inputs.prompts import ImagePrompt, chat_text


def image_attention(
    model: torch.nn.Module, processor: ProcessorMixin, question: ImagePrompt, completion: str, characters: slice
) -> np.ndarray:
    """The attention [layers, heads, rows, columns] to each image patch for the tokens of `completion[characters]`.

    One forward pass over prompt and completion; nothing is generated. A token is predicted at the position before it,
    so the maps of these positions are averaged. Each position's attention sums to 1 over all tokens: the sum over the
    patches is the image's share. A patch is one that the language model sees; Qwen2.5-VL merges 2 x 2 of its vision
    tower's into it. Raises ValueError where no token overlaps `characters`, or the image is missing.
    """
    text = chat_text(processor, question.prompt)
    images = [[load_image(question.image)]]
    start = processor(text=[text], images=images, return_tensors="pt")["input_ids"].shape[1]
    spans = processor.tokenizer(completion, return_offsets_mapping=True)["offset_mapping"]
    positions = [
        start + i - 1 for i, (begin, end) in enumerate(spans) if begin < characters.stop and end > characters.start
    ]
    if not positions:
        raise ValueError(f"{completion!r} has no token in the characters {characters.start} to {characters.stop}")
    inputs = processor(text=[text + completion], images=images, return_tensors="pt").to(model.device)
    with torch.inference_mode(), eager_attention(model):
        layers = model(**inputs, output_attentions=True).attentions  # each [1, heads, tokens, tokens]
    patches = inputs["input_ids"][0] == processor.image_token_id
    maps = [layer[0][:, positions][..., patches].mean(dim=1) for layer in layers]  # each [heads, patches]
    grid = inputs["image_grid_thw"][0, 1:] // processor.image_processor.merge_size
    return torch.stack(maps).float().cpu().numpy().reshape(len(maps), -1, *grid.tolist())


@contextmanager
def eager_attention(model: torch.nn.Module) -> Iterator[None]:
    """Within the context the model uses eager attention, the only implementation that returns its weights."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
