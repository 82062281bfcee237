"""Build the tiny base policy: a Qwen2.5-VL of about two million parameters, and its tokenizer.

The architecture is `Qwen2_5_VLForConditionalGeneration` with a small config, and the saved folder loads by the same
calls as `Qwen/Qwen2.5-VL-7B-Instruct`. Two choices make it learn in an hour on a CPU:

- **One token per coordinate.** A number with two decimals is an added token together with the bracket or comma before
  it (" [0.27", ", -0.1"), and so is an answer letter ("[[A]]"). A position is therefore three adjacent tokens, right
  after its letter. A third decimal still works: " [0.275" is " [0.27" and "5".
- **Numeric embeddings.** The embedding of a number token starts as sines and cosines of its value. Nearby values thus
  have nearby embeddings from the first step, and nearby logits, since the output layer is tied. All other weights
  start at random. Qwen learned numbers from its training text; this base has no such text.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessorPil,
)

IMAGE_SIZE = 140  # pixels: 10 x 10 patches of 14, merged 2 x 2 into 25 image tokens
HIDDEN = 160
SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
LETTER_TOKENS = [f"[[{letter}]]" for letter in "ABCDEFGH"]
TAG_TOKENS = ["<think> ", " </think> ", "<answer> ", " </answer>", *LETTER_TOKENS]
NUMBER_OPENINGS = (" [", ", ", "[")
NUMBER_RANGE = (-1.0, 2.0)  # metres: contains RLBench's workspace
FREQUENCIES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # cycles per metre of a number's sines and cosines
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def number_tokens() -> dict[str, float]:
    """The texts of all number tokens and their values in metres.

    Two decimals without trailing zeros, as prompts print them, after each of NUMBER_OPENINGS.
    """
    low, high = (round(100 * bound) for bound in NUMBER_RANGE)
    numbers = {}
    for opening in NUMBER_OPENINGS:
        for hundredths in range(low, high + 1):
            digits = f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
            numbers[opening + digits] = hundredths / 100
    return numbers


def number_features(values: np.ndarray) -> np.ndarray:
    """Sines and cosines of coordinates in metres, `[...] -> [..., 2 * len(FREQUENCIES)]`."""
    angles = 2 * math.pi * np.asarray(values, dtype=np.float64)[..., None] * np.asarray(FREQUENCIES)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


def build_tokenizer(texts: Iterable[str], vocabulary: int = 900) -> PreTrainedTokenizerFast:
    """A byte-level BPE learned from `texts`, with Qwen's chat tokens, the answer tags and the number tokens."""
    tokenizer = Tokenizer(models.BPE())
    words = Regex(r"\n| ?\p{L}+|\p{N}|, |: | ?[^\s\p{L}\p{N}]+|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=SPECIAL_TOKENS,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in [*TAG_TOKENS, *number_tokens()]])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL_TOKENS[3:],
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
    )


def image_processor() -> Qwen2VLImageProcessorPil:
    """Qwen's image processor, set to resize every image to `IMAGE_SIZE`."""
    pixels = IMAGE_SIZE * IMAGE_SIZE
    return Qwen2VLImageProcessorPil(min_pixels=pixels, max_pixels=pixels)


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> Qwen2_5_VLForConditionalGeneration:
    """A Qwen2.5-VL with fresh weights for `tokenizer`: about 1.4 M parameters of language model, 0.5 M of vision."""
    torch.manual_seed(seed)
    token = tokenizer.convert_tokens_to_ids
    config = Qwen2_5_VLConfig(
        text_config=dict(
            vocab_size=len(tokenizer),
            hidden_size=HIDDEN,
            intermediate_size=448,
            num_hidden_layers=4,
            num_attention_heads=5,
            num_key_value_heads=5,
            max_position_embeddings=2048,
            initializer_range=1 / math.sqrt(HIDDEN),
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=token("<|im_end|>"),
            pad_token_id=token("<|endoftext|>"),
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]},
        ),
        vision_config=dict(
            depth=3,
            hidden_size=96,
            intermediate_size=256,
            num_heads=3,
            out_hidden_size=HIDDEN,
            fullatt_block_indexes=[0, 1, 2],
            initializer_range=0.05,
        ),
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    model = Qwen2_5_VLForConditionalGeneration(config)
    initialise_number_embeddings(model, tokenizer)
    initialise_attention(model)
    model.generation_config.eos_token_id = config.text_config.eos_token_id
    model.generation_config.pad_token_id = config.text_config.pad_token_id
    return model


@torch.no_grad()
def initialise_number_embeddings(model: Qwen2_5_VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> None:
    """Initialise each number token's embedding with its sines and cosines, plus a tenth of the random noise."""
    embedding = model.get_input_embeddings().weight
    numbers = number_tokens()
    features = torch.tensor(number_features(np.array(list(numbers.values()))), dtype=embedding.dtype)
    scale = embedding.std()
    for row, feature in zip(tokenizer.convert_tokens_to_ids(list(numbers)), features, strict=True):
        embedding[row] *= 0.1
        embedding[row, : len(feature)] += 2 * scale * feature


@torch.no_grad()
def initialise_attention(model: Qwen2_5_VLForConditionalGeneration) -> None:
    """Initialise every head to attend to similar tokens and to copy them (mimetic initialisation, Trockman and Kolter
    2023): queries, keys, values and outputs share one projection."""
    for layer in model.model.language_model.layers:
        attention = layer.self_attn
        size = attention.head_dim
        for head in range(HIDDEN // size):
            rows = slice(head * size, (head + 1) * size)
            projection = torch.linalg.qr(torch.randn(HIDDEN, size))[0].T
            for weight, start in (
                (attention.q_proj.weight[rows], projection),
                (attention.k_proj.weight[rows], projection),
                (attention.v_proj.weight[rows], 0.7 * projection),
                (attention.o_proj.weight[:, rows], 0.7 * projection.T),
            ):
                weight.copy_(start + 0.02 * torch.randn_like(start))


def save_tiny(folder: Path, model: Qwen2_5_VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> None:
    """Save model and processor as a folder that `AutoProcessor` and `AutoModelForImageTextToText` read."""
    from robotr1.policies.processor import ImageTextProcessor

    model.save_pretrained(folder)
    ImageTextProcessor(image_processor(), tokenizer, chat_template=CHAT_TEMPLATE).save_pretrained(folder)
