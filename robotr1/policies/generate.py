"""Generate completions for questions in batches."""

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from tqdm import tqdm
from transformers import GenerationConfig, ProcessorMixin

from robotr1.policies.inputs.image_cache import encode_images_once, prepare_images_once
from robotr1.policies.inputs.images import blank_image, is_readable, load_image, shuffle_images
from robotr1.policies.inputs.prompts import ImagePrompt, batch_inputs, chat_text

Images = Literal["real", "blank", "shuffled"]


class CompletionCache(Protocol):
    """Stores completions batch by batch, so that an interrupted run resumes where it stopped."""

    def get(self, batch: Sequence[ImagePrompt], images: Images) -> list[str | None] | None: ...

    def put(self, batch: Sequence[ImagePrompt], images: Images, completions: list[str | None]) -> None: ...


def complete(
    model: torch.nn.Module,
    processor: ProcessorMixin,
    questions: Sequence[ImagePrompt],
    *,
    batch_size: int,
    max_completion_length: int,
    temperature: float = 0.0,
    seed: int = 0,
    images: Images = "real",
    prefixes: Sequence[str] | None = None,
    cache: CompletionCache | None = None,
    skip_unreadable: bool = False,
) -> list[str | None]:
    """Return one completion per question, in the order of the questions, without special tokens.

    Prompts are padded on the left and never truncated, and image tokens are never generated. A completion ends at the
    end-of-turn token or after `max_completion_length` tokens.

    Args:
        temperature: 0 is greedy; above 0 `seed` starts the sampling.
        images: "blank" shows grey images, "shuffled" those of other questions; both are controls.
        prefixes: the start of each completion, which the policy continues; each returned text includes its prefix.
        cache: batches that it holds are not generated again, new ones are put into it. It ignores prefixes, so the two
            exclude each other.
        skip_unreadable: return None where an image is missing or unreadable, instead of an error.

    Raises ValueError where an image file is missing or broken, or where `cache` comes with `prefixes`.
    """
    if images not in ("real", "blank", "shuffled"):
        raise ValueError(f"images: {images!r} is not one of real, blank, shuffled.")
    if cache and prefixes:
        raise ValueError("cache and prefixes exclude each other.")
    swapped = shuffle_images([question.image for question in questions], seed) if images == "shuffled" else {}

    def load(path: str):
        return (blank_image if images == "blank" else load_image)(swapped.get(path, path))

    prefixes = prefixes or [""] * len(questions)
    texts = [
        chat_text(processor, question.prompt) + prefix for question, prefix in zip(questions, prefixes, strict=True)
    ]
    lengths = [len(ids) for ids in processor.tokenizer(texts)["input_ids"]] if texts else []
    order = sorted(range(len(questions)), key=lambda i: (lengths[i], questions[i].image, i))
    completions: list[str | None] = [None] * len(questions)
    config = generation_config(model, processor, max_completion_length, temperature)
    model.eval()
    with torch.inference_mode(), encode_images_once(model), prepare_images_once(processor):
        for start in tqdm(range(0, len(order), batch_size), desc="questions", disable=len(order) <= batch_size):
            rows = order[start : start + batch_size]
            batch = [questions[i] for i in rows]
            sampled = cache.get(batch, images) if cache else None
            if sampled is None:
                torch.manual_seed(seed + start)  # per batch, so that cached batches change nothing in the others
                shown = [i for i in rows if not skip_unreadable or is_readable(questions[i].image)]
                sampled = [None] * len(rows)
                if shown:
                    inputs = batch_inputs(processor, [questions[i] for i in shown], [prefixes[i] for i in shown], load)
                    inputs = inputs.to(model.device)
                    out = model.generate(**inputs, generation_config=config)[:, inputs["input_ids"].shape[1] :]
                    texts_of = dict(zip(shown, processor.batch_decode(out, skip_special_tokens=True), strict=True))
                    sampled = [texts_of.get(i) for i in rows]
                if cache:
                    cache.put(batch, images, sampled)
            for i, text in zip(rows, sampled, strict=True):
                completions[i] = None if text is None else prefixes[i] + text
    return completions


def generation_config(
    model: torch.nn.Module, processor: ProcessorMixin, max_completion_length: int, temperature: float
) -> GenerationConfig:
    """State every choice, so that no default saved with a hub model applies (Qwen's has a repetition penalty)."""
    tokenizer = processor.tokenizer
    declared = model.generation_config.eos_token_id
    ends = {tokenizer.eos_token_id, *(declared if isinstance(declared, list) else [declared])} - {None}
    sampling = {"temperature": temperature, "top_p": 1.0, "top_k": 0} if temperature > 0 else {}
    return GenerationConfig(
        max_new_tokens=max_completion_length,
        repetition_penalty=1.0,
        eos_token_id=sorted(ends),
        pad_token_id=tokenizer.pad_token_id,
        suppress_tokens=[processor.image_token_id, processor.video_token_id],
        disable_compile=True,
        do_sample=temperature > 0,
        **sampling,
    )
