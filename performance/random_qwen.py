"""Build a Qwen2.5-VL of the 7B's shape with random weights in NF4, for timing without the hub."""

from pathlib import Path

import bitsandbytes as bnb
import numpy as np
import torch
from PIL import Image
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessorPil

from robotr1.policies import tiny
from robotr1.policies.processor import ImageTextProcessor, load_processor
from robotr1.questions.prompts import mcqa_prompt
from robotr1.records import Question

# Qwen/Qwen2.5-VL-7B-Instruct's config.json
SHAPES = {
    "7b": (
        dict(
            hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
            num_key_value_heads=4, vocab_size=152064, max_position_embeddings=128000, rms_norm_eps=1e-6,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
        ),
        dict(
            depth=32, hidden_size=1280, intermediate_size=3420, num_heads=16, out_hidden_size=3584, patch_size=14,
            window_size=112, fullatt_block_indexes=[7, 15, 23, 31],
        ),
    ),
    "small": (
        dict(
            hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, vocab_size=4096, max_position_embeddings=2048,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]},
        ),
        dict(
            depth=2, hidden_size=64, intermediate_size=128, num_heads=4, out_hidden_size=256, patch_size=14,
            window_size=112, fullatt_block_indexes=[1],
        ),
    ),
}  # fmt: skip


def questions_for(folder: Path, count: int, image_size: int = 224) -> tuple[Path, list[Question]]:
    """A processor in `folder` (with its own tokenizer instead of the hub's) and questions with random images."""
    rng, asked = np.random.default_rng(0), []
    options = [f"[0.1{i}, 0.2{i}, 0.9{i}]" for i in range(4)]
    prompt = mcqa_prompt("waypoint", "pick up the red cup", [0.1, 0.2, 0.9], options, form="full", decimals=3)
    for i in range(count):
        image = folder / f"{i}.png"
        Image.fromarray(rng.integers(0, 256, (image_size, image_size, 3), dtype=np.uint8)).save(image)
        asked.append(
            Question(
                id=f"pick_up_cup/variation0/episode{i}/frame0/waypoint", split="train", type="waypoint",
                task="pick_up_cup", variation=0, episode=i, frame=0, keyframe=9, image=str(image),
                instruction="pick up the red cup", state=[0.1, 0.2, 0.9], target=[0.2, -0.1, 0.8], options=options,
                answer="ABCD"[i % 4], prompt=f"{prompt}\nQuestion {i}.",
            )
        )  # fmt: skip
    tokenizer = tiny.build_tokenizer([prompt])
    pixels = image_size * image_size
    images = Qwen2VLImageProcessorPil(min_pixels=pixels, max_pixels=pixels)
    ImageTextProcessor(images, tokenizer, chat_template=tiny.CHAT_TEMPLATE).save_pretrained(folder)
    return folder, asked * 40  # enough for every step; TRL shuffles


def random_nf4(folder: Path, size: str, seed: int = 0) -> Qwen2_5_VLForConditionalGeneration:
    """The model on the GPU where there is one: linear layers of the language model in NF4, the rest in bfloat16."""
    text, vision = SHAPES[size]
    token = load_processor(folder).tokenizer.convert_tokens_to_ids
    ends = {"eos_token_id": token("<|im_end|>"), "pad_token_id": token("<|endoftext|>"), "bos_token_id": None}
    config = Qwen2_5_VLConfig(
        text_config={**text, **ends, "tie_word_embeddings": False}, vision_config=vision, tie_word_embeddings=False,
        image_token_id=token("<|image_pad|>"), video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"), vision_end_token_id=token("<|vision_end|>"),
    )  # fmt: skip
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            model = Qwen2_5_VLForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(before)
    for layer in model.model.language_model.layers:
        for part in (layer.self_attn, layer.mlp):
            for name, linear in list(part.named_children()):
                if isinstance(linear, torch.nn.Linear):
                    setattr(part, name, nf4(linear, dtype))
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = (
        ends["eos_token_id"],
        ends["pad_token_id"],
    )
    model.is_loaded_in_4bit, model.config.name_or_path = True, str(folder)
    return model


def nf4(linear: torch.nn.Linear, dtype: torch.dtype) -> bnb.nn.Linear4bit:
    """The same layer, stored as policies.load.nf4_config stores it."""
    small = bnb.nn.Linear4bit(
        linear.in_features, linear.out_features, bias=linear.bias is not None, compute_dtype=dtype,
        compress_statistics=True, quant_type="nf4", device="meta",
    )  # fmt: skip
    small.weight = bnb.nn.Params4bit(
        linear.weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True
    )
    small.bias = linear.bias
    small.support_avx512bf16_for_cpu = False  # see policies.load.load_model
    return small.to(linear.weight.device)
