"""The vision tower's forward pass for training: Qwen's own weights and tokens, computed faster on a CPU.

All images of a batch have one size here, so attention runs once per block instead of once per image. The two equal
frames that Qwen's processor makes of an image become one, which meets the sum of their weights. Attention is written
out, because the CPU's fused one is slow in 16 bits. A test compares the tokens with those of the model's own pass.
"""

import math
from functools import cache

import numpy as np
import torch
from torch.nn import functional as F

PATCH, CELL = 14, 28  # pixels; 2 x 2 patches make a cell, which is one token of the language model
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of Qwen's image processor


def patches(images: np.ndarray) -> torch.Tensor:
    """uint8 [N,H,W,3] → [N,P,588], P patches in the order and normalisation of Qwen's own processor, one frame each."""
    pixels = (torch.from_numpy(images).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    count, height, width, _ = pixels.shape
    grid = pixels.reshape(count, height // CELL, 2, PATCH, width // CELL, 2, PATCH, 3)
    return grid.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(count, -1, 3 * PATCH * PATCH)


@cache
def rotation(rows: int, columns: int, size: int, theta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines [P,size] of the patches' axial RoPE, in the order of `patches`; rows and columns in cells."""
    cells = torch.arange(rows * columns * 4)
    cell, place = cells // 4, cells % 4
    row, column = 2 * (cell // columns) + place // 2, 2 * (cell % columns) + place % 2
    frequencies = theta ** -(torch.arange(0, size // 2, 2) / (size // 2))
    angles = torch.cat([row[:, None] * frequencies, column[:, None] * frequencies], dim=1).repeat(1, 2)
    return angles.cos(), angles.sin()


def tower_tokens(visual, pixels: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Tokens [N, rows*columns, HIDDEN] of images of that many cells, from `patches` [N,P,588]."""
    config = visual.config
    weight = visual.patch_embed.proj.weight.sum(2).flatten(1)
    hidden = F.linear(pixels, weight).float()
    heads, size = config.num_heads, config.hidden_size // config.num_heads
    cos, sin = rotation(rows, columns, size, config.rope_parameters["rope_theta"])
    for block in visual.blocks:
        query, key, value = block.attn.qkv(block.norm1(hidden)).unflatten(-1, (3, heads, size)).permute(2, 0, 3, 1, 4)
        scores = _rotated(query, cos, sin) @ _rotated(key, cos, sin).transpose(-1, -2) / math.sqrt(size)
        mixed = scores.float().softmax(-1).to(value.dtype) @ value
        hidden = hidden + block.attn.proj(mixed.transpose(1, 2).flatten(2))
        hidden = hidden + block.mlp(block.norm2(hidden))
    merger = visual.merger
    return merger.mlp(merger.ln_q(hidden).reshape(len(pixels), rows * columns, -1))


def look(visual, images: np.ndarray) -> torch.Tensor:
    """Tokens [N,T,HIDDEN] of images or cuts uint8 [N,H,W,3]."""
    return tower_tokens(visual, patches(images), images.shape[1] // CELL, images.shape[2] // CELL)


@torch.no_grad()
def all_features(model, images: np.ndarray, block: int = 100) -> torch.Tensor:
    """Image features [N,T,HIDDEN] of a whole data set, computed once: the tower is frozen from here on."""
    blocks = [images[start : start + block] for start in range(0, len(images), block)]
    return torch.cat([look(model.model.visual, images) for images in blocks])


def _rotated(vectors: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotate queries or keys [...,P,size] by their patches' angles."""
    first, second = vectors.chunk(2, dim=-1)
    return (vectors * cos + torch.cat([-second, first], dim=-1) * sin).to(vectors.dtype)
