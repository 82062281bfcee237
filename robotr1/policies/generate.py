"""Generate a policy's completions in batches."""

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from PIL import Image
from tqdm import tqdm
from transformers import BatchFeature, GenerationConfig, ProcessorMixin

from robotr1.policies.images import blank_image, encode_images_once, exchange, load_image, prepare_images_once

Images = Literal["real", "blank", "shuffled"]


class Prompted(Protocol):
    """What `complete` needs of a question: `Question` and `SftExample` both fit."""

    prompt: str
    image: str


class Cache(Protocol):
    """Completions by batch, so that a resumed run generates no batch twice."""

    def get(self, batch: Sequence[Prompted], images: Images) -> list[str | None] | None: ...

    def put(self, batch: Sequence[Prompted], images: Images, completions: list[str | None]) -> None: ...


def conversation(prompt: str, image: Image.Image | None = None) -> list[dict]:
    """One user turn, the image before the text, as TRL builds it for training."""
    picture = {"type": "image"} if image is None else {"type": "image", "image": image}
    return [{"role": "user", "content": [picture, {"type": "text", "text": prompt}]}]


def prompt_texts(
    processor: ProcessorMixin, questions: Sequence[Prompted], begun: Sequence[str] | None = None
) -> list[str]:
    """The questions through the chat template, each followed by the beginning of its completion, if there is one."""
    chats = [conversation(question.prompt) for question in questions]
    texts = [processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
    return [text + beginning for text, beginning in zip(texts, begun or [""] * len(texts), strict=True)]


def batch_inputs(
    model: torch.nn.Module, processor: ProcessorMixin, texts: Sequence[str], pictures: Sequence[Image.Image]
) -> BatchFeature:
    """Model inputs for texts with one image each, padded on the left and never cut, on the model's device."""
    images = [[picture] for picture in pictures]
    return processor(text=list(texts), images=images, padding=True, return_tensors="pt").to(model.device)


def complete(
    model: torch.nn.Module,
    processor: ProcessorMixin,
    questions: Sequence[Prompted],
    *,
    batch_size: int,
    max_completion_length: int,
    temperature: float = 0.0,
    seed: int = 0,
    images: Images = "real",
    begun: Sequence[str] | None = None,
    cache: Cache | None = None,
    skip_unreadable: bool = False,
) -> list[str]:
    """Return one completion per question, in the order of the questions, without special tokens.

    Image tokens are never generated. A completion ends at the end-of-turn token or after `max_completion_length`
    tokens.

    Args:
        temperature: 0 is greedy decoding.
        seed: starts the sampling of each batch.
        images: "blank" shows grey instead, "shuffled" another question's image: the two blind controls.
        begun: the beginning of each completion, which the policy continues; the returned completion includes it.
        cache: completions of earlier batches, which are not generated again; it does not know beginnings.
        skip_unreadable: return None where an image is missing or unreadable.

    Raises ValueError where an image is missing or unreadable, or where `cache` comes with `begun`.
    """
    if images not in ("real", "blank", "shuffled"):
        raise ValueError(f"images: {images!r} is not one of real, blank, shuffled.")
    if cache and begun:
        raise ValueError("cache and begun do not go together.")
    other = exchange([question.image for question in questions], seed) if images == "shuffled" else {}
    texts = prompt_texts(processor, questions, begun)
    lengths = [len(ids) for ids in processor.tokenizer(texts)["input_ids"]] if texts else []
    order = sorted(range(len(questions)), key=lambda i: (lengths[i], questions[i].image, i))
    completions: list[str | None] = [None] * len(questions)
    config = generation_config(model, processor, max_completion_length, temperature)

    def show(image: str) -> Image.Image | None:
        try:
            return blank_image(image) if images == "blank" else load_image(other.get(image, image))
        except ValueError:
            if skip_unreadable:
                return None
            raise

    def generate(rows: list[int]) -> list[str | None]:
        pictures = [show(questions[i].image) for i in rows]
        shown = [(texts[i], picture) for i, picture in zip(rows, pictures) if picture is not None]
        if not shown:
            return [None] * len(rows)
        inputs = batch_inputs(model, processor, *zip(*shown))
        out = model.generate(**inputs, generation_config=config)[:, inputs["input_ids"].shape[1] :]
        written = iter(processor.batch_decode(out, skip_special_tokens=True))
        return [None if picture is None else next(written) for picture in pictures]

    model.eval()
    with torch.inference_mode(), encode_images_once(model), prepare_images_once(processor):
        for start in tqdm(range(0, len(order), batch_size), desc="questions", disable=len(order) <= batch_size):
            rows = order[start : start + batch_size]
            batch = [questions[i] for i in rows]
            written = cache.get(batch, images) if cache else None
            if written is None:
                torch.manual_seed(seed + start)  # for each batch, so that cached batches do not change the others
                written = generate(rows)
                if cache:
                    cache.put(batch, images, written)
            for i, text in zip(rows, written, strict=True):
                completions[i] = text if begun is None or text is None else begun[i] + text
    return completions


def next_token_logits(
    model: torch.nn.Module,
    processor: ProcessorMixin,
    questions: Sequence[Prompted],
    begun: Sequence[str],
    tokens: Sequence[int],
    batch_size: int,
) -> torch.Tensor:
    """The logits of `tokens` as the next token after each beginning, float [questions, tokens], on the CPU.

    Raises ValueError where an image is missing or unreadable.
    """
    texts, logits = prompt_texts(processor, questions, begun), [torch.empty(0, len(tokens))]
    config = generation_config(model, processor, 1, temperature=0.0)
    config.return_dict_in_generate = config.output_logits = True
    model.eval()
    with torch.inference_mode(), encode_images_once(model), prepare_images_once(processor):
        for start in range(0, len(questions), batch_size):
            rows = slice(start, start + batch_size)
            pictures = [load_image(question.image) for question in questions[rows]]
            inputs = batch_inputs(model, processor, texts[rows], pictures)
            out = model.generate(**inputs, generation_config=config).logits[0]
            logits.append(out[:, list(tokens)].float().cpu())
    return torch.cat(logits)


def generation_config(
    model: torch.nn.Module, processor: ProcessorMixin, max_completion_length: int, temperature: float
) -> GenerationConfig:
    """Every choice stated, so that no default saved with a hub model leaks in (Qwen's has a repetition penalty)."""
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
