"""Where a policy looks while it writes: the attention that words of an answer give to the patches of the image."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from transformers import ProcessorMixin

from robotr1.policies.generate import Prompted, conversation
from robotr1.policies.images import load_image


def image_attention(
    model: torch.nn.Module, processor: ProcessorMixin, question: Prompted, completion: str, words: slice
) -> np.ndarray:
    """The attention [layers, heads, rows, columns] to each image patch while `completion[words]` was written.

    The completion is read behind its question, so nothing is generated. A token is chosen where the one before it is
    read: these are the places that attend, and their mean is returned. What one place gives to everything adds up
    to 1, so the sum over the patches is the share that the image gets. A patch is one that the language model sees;
    Qwen2.5-VL makes it from 2 x 2 of its vision tower's. Raises ValueError where `words` has no token, or the image
    is missing.
    """
    chat = processor.apply_chat_template(conversation(question.prompt), tokenize=False, add_generation_prompt=True)
    pictures = [[load_image(question.image)]]
    start = processor(text=[chat], images=pictures, return_tensors="pt")["input_ids"].shape[1]
    spans = processor.tokenizer(completion, return_offsets_mapping=True)["offset_mapping"]
    places = [start + i - 1 for i, (begin, end) in enumerate(spans) if begin < words.stop and end > words.start]
    if not places:
        raise ValueError(f"no token of {completion!r} lies in the characters {words.start} to {words.stop}")
    inputs = processor(text=[chat + completion], images=pictures, return_tensors="pt").to(model.device)
    with torch.inference_mode(), eager_attention(model):
        layers = model(**inputs, output_attentions=True).attentions  # each [1, heads, tokens, tokens]
    patches = inputs["input_ids"][0] == processor.image_token_id
    maps = [layer[0][:, places][..., patches].mean(dim=1) for layer in layers]  # each [heads, patches]
    grid = inputs["image_grid_thw"][0, 1:] // processor.image_processor.merge_size
    return torch.stack(maps).float().cpu().numpy().reshape(len(maps), -1, *grid.tolist())


@contextmanager
def eager_attention(model: torch.nn.Module) -> Iterator[None]:
    """Within the context, attention is computed in the plain way, the only one that hands out its weights."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
