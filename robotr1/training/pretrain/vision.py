"""Pretrain the tiny base's vision tower: a temporary linear head predicts where gripper and objects are."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from robotr1.policies.tiny import HIDDEN, IMAGE_SIZE, number_features
from robotr1.training.pretrain.batches import IMAGE_TOKENS

HELD_OUT = 50  # every 50th snapshot is held out for the errors in the log


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
    """Image features of a whole data set, computed once: the vision tower is frozen from here on."""
    return torch.cat([image_features(model, images[start : start + block]) for start in range(0, len(images), block)])


def train_vision(
    model,
    data: dict[str, np.ndarray],
    rng: np.random.Generator,
    steps: int,
    batch_size: int,
    rate: float,
    log: Callable,
) -> None:
    """Train the vision tower on snapshots.

    A linear head on its mean token predicts every position, as coordinates in metres and as the sines and cosines that
    number tokens start with.
    """
    positions = np.concatenate([data["gripper"][:, None], data["objects"]], axis=1)
    positions = torch.tensor(positions, dtype=torch.float32)
    positions = positions.flatten(1)  # x, y and z of the gripper and of each object; NaN where a task has fewer objects
    waves = torch.tensor(number_features(positions.numpy()), dtype=torch.float32)
    count, size = waves.shape[1:]
    head = torch.nn.Linear(HIDDEN, count * (1 + size))
    parameters = [*model.model.visual.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    held_out = np.arange(len(positions)) % HELD_OUT == 0
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def predict(chosen: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        output = head(image_features(model, data["images"][chosen]).mean(1))
        return output[:, :count], output[:, count:].reshape(-1, count, size)

    for step in range(steps):
        set_rate(optimizer, rate, step, steps)
        chosen = rng.choice(train, batch_size, replace=False)
        predicted, predicted_waves = predict(chosen)
        exists = ~positions[chosen].isnan()
        loss = 3 * F.l1_loss(predicted[exists], positions[chosen][exists])
        loss = loss + F.mse_loss(predicted_waves[exists], waves[chosen][exists])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if (step + 1) % 100 == 0 or step + 1 == steps:
            with torch.no_grad():
                errors = 100 * (predict(test)[0] - positions[test]).abs()
            log(
                step=step + 1,
                loss=loss.item(),
                gripper_error_cm=errors[:, :3].mean().item(),
                thing_error_cm=errors[:, 3:].nanmean().item(),
            )


def set_rate(optimizer: torch.optim.Optimizer, rate: float, step: int, steps: int, warmup: int = 50) -> None:
    """A cosine to a twentieth of `rate`, times a linear warm-up.

    transformers' schedule with a floor starts its cosine after the warm-up, which would be another recipe.
    """
    progress = step / max(steps, 1)
    factor = min(1.0, (step + 1) / warmup) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))
    for group in optimizer.param_groups:
        group["lr"] = rate * factor
