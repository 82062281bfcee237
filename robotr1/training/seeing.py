"""The tiny base learns to see: through a throw-away linear head, its vision tower tells where the things are."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from robotr1.policies.tiny import HIDDEN, IMAGE_SIZE, number_features
from robotr1.training.batches import IMAGE_TOKENS

HELD_OUT = 500  # snapshots that the errors in the log are measured on: the last block drawn


def patches(images: np.ndarray) -> torch.Tensor:
    """uint8 [N,H,W,3] → [N * (H/14) * (W/14), 1176], in the order and normalisation of Qwen's own processor."""
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])
    pixels = (torch.from_numpy(images).float() / 255 - mean) / std
    count, height, width, _ = pixels.shape
    grid = pixels.reshape(count, height // 28, 2, 14, width // 28, 2, 14, 3).permute(0, 1, 4, 2, 5, 7, 3, 6)
    frames = grid.reshape(-1, 3, 1, 14, 14).expand(-1, -1, 2, -1, -1)
    return frames.reshape(-1, 3 * 2 * 14 * 14)


def image_features(model, images: np.ndarray) -> torch.Tensor:
    """The vision tower's tokens, `[N, 25, HIDDEN]`."""
    side = IMAGE_SIZE // 14
    grid = torch.tensor([[1, side, side]] * len(images))
    merged = model.model.visual(patches(images), grid_thw=grid).pooler_output
    return merged.reshape(len(images), IMAGE_TOKENS, HIDDEN)


@torch.no_grad()
def all_features(model, images: np.ndarray, block: int = 100) -> torch.Tensor:
    """Image features of a whole set, once and for all: the vision tower stays as it is from here on."""
    return torch.cat([image_features(model, images[start : start + block]) for start in range(0, len(images), block)])


def learn_to_see(
    model,
    data: dict[str, np.ndarray],
    rng: np.random.Generator,
    steps: int,
    batch_size: int,
    rate: float,
    log: Callable,
) -> None:
    """Train the vision tower on snapshots: a linear head on its mean token tells both places, as coordinates in metres
    and as the sines and cosines that number tokens start with."""
    features = number_features(np.zeros(1)).shape[-1]
    head = torch.nn.Linear(HIDDEN, 6 * (1 + features))
    parameters = [*model.model.visual.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    places = np.concatenate([data["gripper"], data["object"]], axis=1)
    train, test = np.split(np.arange(len(places)), [-HELD_OUT])
    target_features = torch.tensor(number_features(places).reshape(len(places), -1), dtype=torch.float32)
    target_places = torch.tensor(places, dtype=torch.float32)
    for step in range(steps):
        set_rate(optimizer, rate, step, steps)
        chosen = rng.choice(train, batch_size, replace=False)
        guess = head(image_features(model, data["images"][chosen]).mean(1))
        loss = (guess[:, :6] - target_places[chosen]).abs().mean() * 3 + F.mse_loss(
            guess[:, 6:], target_features[chosen]
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if (step + 1) % 50 == 0 or step + 1 == steps:
            with torch.no_grad():
                errors = (head(image_features(model, data["images"][test]).mean(1))[:, :6] - target_places[test]).abs()
            centimetres = (100 * errors.mean(0)).tolist()
            log(
                step=step + 1,
                loss=loss.item(),
                gripper_error_cm=sum(centimetres[:3]) / 3,
                object_error_cm=sum(centimetres[3:]) / 3,
            )


def set_rate(optimizer: torch.optim.Optimizer, rate: float, step: int, steps: int, warmup: int = 50) -> None:
    """Linear warm-up, then a cosine to a twentieth."""
    progress = step / max(steps, 1)
    factor = min(1.0, (step + 1) / warmup) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))
    for group in optimizer.param_groups:
        group["lr"] = rate * factor
