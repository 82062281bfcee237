"""Ask a policy questions in batches and collect what it writes."""

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from PIL import Image
from tqdm import tqdm
from transformers import GenerationConfig, ProcessorMixin

from robotr1.policies.images import blank_image, encode_images_once, exchange, load_image, prepare_images_once

Images = Literal["real", "blank", "shuffled"]


class Asked(Protocol):
    """What `complete` needs of a question: `Question` and `SftExample` both fit."""

    prompt: str
    image: str


class Memory(Protocol):
    """Keeps what was written, batch by batch, so that a run which was stopped asks no batch twice."""

    def recall(self, batch: Sequence[Asked], images: Images) -> list[str] | None: ...

    def keep(self, batch: Sequence[Asked], images: Images, completions: list[str]) -> None: ...


def conversation(prompt: str, image: Image.Image | None = None) -> list[dict]:
    """One user turn, the image before the text, as TRL builds it for training."""
    picture = {"type": "image"} if image is None else {"type": "image", "image": image}
    return [{"role": "user", "content": [picture, {"type": "text", "text": prompt}]}]


def complete(
    model: torch.nn.Module,
    processor: ProcessorMixin,
    questions: Sequence[Asked],
    *,
    batch_size: int,
    max_completion_length: int,
    temperature: float = 0.0,
    seed: int = 0,
    images: Images = "real",
    begun: Sequence[str] | None = None,
    memory: Memory | None = None,
) -> list[str]:
    """Return one completion per question, in the order of the questions, without special tokens.

    Prompts are padded on the left and never cut, image tokens are never generated, writing stops at the end-of-turn
    token or after `max_completion_length` tokens. `temperature` 0 is greedy; else `seed` starts the sampling.
    `images` "blank" shows grey instead, "shuffled" shows another question's image: the two blind controls.
    `begun` holds the beginning of each completion, which the policy goes on from; what is returned starts with it.
    Batches that `memory` recalls are not asked again; what the others bring is handed to it, batch by batch. It does
    not see beginnings, so it goes without `begun`.
    Raises ValueError where an image file is missing or broken, or where `memory` comes with `begun`.
    """
    if images not in ("real", "blank", "shuffled"):
        raise ValueError(f"images: {images!r} is not one of real, blank, shuffled.")
    if memory and begun:
        raise ValueError("memory and begun do not go together.")
    other = exchange([question.image for question in questions], seed) if images == "shuffled" else {}
    chats = [conversation(question.prompt) for question in questions]
    texts = [processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
    begun = begun or [""] * len(texts)
    texts = [text + beginning for text, beginning in zip(texts, begun, strict=True)]
    lengths = [len(ids) for ids in processor.tokenizer(texts)["input_ids"]] if texts else []
    order = sorted(range(len(questions)), key=lambda i: (lengths[i], questions[i].image, i))
    completions = [""] * len(questions)
    config = generation_config(model, processor, max_completion_length, temperature)
    model.eval()
    with torch.inference_mode(), encode_images_once(model), prepare_images_once(processor):
        for start in tqdm(range(0, len(order), batch_size), desc="questions", disable=len(order) <= batch_size):
            rows = order[start : start + batch_size]
            batch = [questions[i] for i in rows]
            written = memory.recall(batch, images) if memory else None
            if written is None:
                torch.manual_seed(seed + start)  # of each batch, so that it does not matter which ones are recalled
                show = blank_image if images == "blank" else load_image
                pictures = [[show(other.get(question.image, question.image))] for question in batch]
                inputs = processor(text=[texts[i] for i in rows], images=pictures, padding=True, return_tensors="pt")
                inputs = inputs.to(model.device)
                out = model.generate(**inputs, generation_config=config)[:, inputs["input_ids"].shape[1] :]
                written = processor.batch_decode(out, skip_special_tokens=True)
                if memory:
                    memory.keep(batch, images, written)
            for i, text in zip(rows, written, strict=True):
                completions[i] = begun[i] + text
    return completions


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
