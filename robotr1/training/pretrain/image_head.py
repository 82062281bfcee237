"""The temporary head on whole images: where the gripper and the objects are, and whether the gripper is open or holds.

It is linear on the mean token. Positions are predicted in metres, and as the sines and cosines that number tokens
start with, so that the language model finds in the tokens what it has to write.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from robotr1.policies.tiny import FREQUENCIES, HIDDEN, number_features
from robotr1.training.pretrain.snapshots import MOST_OBJECTS

COORDINATES = 3 * (1 + MOST_OBJECTS)  # x, y and z of the gripper and the objects
WAVES = 2 * len(FREQUENCIES)
FLAGS = ("open", "held")
FLAG_WEIGHT = 0.4  # in the loss


@dataclass(frozen=True)
class ImageTargets:
    """The truth of N snapshots.

    `positions` [N,COORDINATES] in metres and `waves` [N,COORDINATES,WAVES] are NaN where a task has fewer objects;
    `flags` [N,2] are 0 or 1.
    """

    positions: torch.Tensor
    waves: torch.Tensor
    flags: torch.Tensor


def image_targets(data: dict[str, np.ndarray], chosen: np.ndarray) -> ImageTargets:
    """Collect the targets of the chosen snapshots."""
    positions = np.concatenate([data["gripper"][chosen, None], data["objects"][chosen]], axis=1)
    positions = positions.reshape(-1, COORDINATES)
    flags = np.stack([data[name][chosen] for name in FLAGS], axis=1)
    floats = partial(torch.tensor, dtype=torch.float32)
    return ImageTargets(floats(positions), floats(number_features(positions)), floats(flags))


class ImageHead(nn.Module):
    """Predict positions, waves and the logits of flags from an image's mean token."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(HIDDEN, COORDINATES * (1 + WAVES) + len(FLAGS))

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Tokens [N,T,HIDDEN] → [N,COORDINATES], [N,COORDINATES,WAVES] and [N,2]."""
        output = self.linear(tokens.float().mean(1))
        positions, waves, flags = output.split([COORDINATES, COORDINATES * WAVES, len(FLAGS)], dim=1)
        return positions, waves.unflatten(1, (COORDINATES, WAVES)), flags


def image_loss(predicted: tuple[torch.Tensor, torch.Tensor, torch.Tensor], targets: ImageTargets) -> torch.Tensor:
    """L1 loss of the positions, squared error of their waves and cross entropy of the flags."""
    positions, waves, flags = predicted
    exists = ~targets.positions.isnan()
    loss = 3 * F.l1_loss(positions[exists], targets.positions[exists])
    loss = loss + F.mse_loss(waves[exists], targets.waves[exists])
    return loss + FLAG_WEIGHT * F.binary_cross_entropy_with_logits(flags, targets.flags)
