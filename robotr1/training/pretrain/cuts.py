"""Train the tower on cuts: small windows of the snapshots around the hand and the objects, cheaper than whole images.

Qwen's tower has only relative positions, so what it learns on a small window transfers to the whole image. The targets
are what a window shows: where in it the tip and the objects are, whether the gripper is open and whether it holds the
object. Windows of whole images have the same targets; there the tokens have attended to everything around them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from robotr1.policies.tiny import HIDDEN, IMAGE_SIZE
from robotr1.training.pretrain.tower import CELL

CELLS = 2  # of a window's side: 2 x 2 tokens
WINDOW = CELLS * CELL  # pixels
MARGIN = 3  # pixels between a cut's border and the point that it is sampled for
SHARE_TIP = 0.6  # of windows that are sampled for the tip; the others are for one of the objects


@dataclass(frozen=True)
class WindowTargets:
    """What N windows show.

    `points` [N,1+K,2]: the tip and K objects, right and down in units of the window, NaN where outside. `flags` [N,2]:
    open and held as 0 or 1, NaN where the tip is outside.
    """

    points: torch.Tensor
    flags: torch.Tensor


def window_targets(data: dict[str, np.ndarray], chosen: np.ndarray, corners: np.ndarray) -> WindowTargets:
    """Compute the targets of windows with upper left `corners` [N,2] in pixels, one for each chosen snapshot."""
    points = (snapshot_points(data, chosen) - corners[:, None]) / WINDOW
    outside = ~((points >= 0) & (points < 1)).all(axis=-1)  # also where there is no second object
    points = np.where(outside[..., None], np.nan, points)
    flags = np.stack([data["open"][chosen], data["held"][chosen]], axis=1).astype(np.float32)
    flags = np.where(outside[:, :1], np.nan, flags)
    return WindowTargets(torch.tensor(points, dtype=torch.float32), torch.tensor(flags, dtype=torch.float32))


def snapshot_points(data: dict[str, np.ndarray], chosen: np.ndarray) -> np.ndarray:
    """Return the pixels [N,1+K,2] of tip and objects in the chosen snapshots; NaN where a task has fewer objects."""
    points = np.concatenate([data["gripper_pixel"][chosen, None], data["object_pixels"][chosen]], axis=1)
    return IMAGE_SIZE * points


def sample_corners(points: np.ndarray, rng: np.random.Generator, step: int = 1) -> np.ndarray:
    """Sample upper left corners [N,2] of windows inside the image that show one of each snapshot's `points` [N,1+K,2].

    Corners are multiples of `step` pixels: 1 for cuts, `CELL` for windows of whole images.
    """
    count, objects = len(points), points.shape[1] - 1
    index = np.where(rng.random(count) < SHARE_TIP, 0, rng.integers(1, 1 + objects, count))
    target = points[np.arange(count), index]
    target = np.where(np.isnan(target), points[:, 0], target)
    inside = MARGIN + (WINDOW - 2 * MARGIN - step) * rng.random((count, 2))
    corners = step * np.floor((target - inside) / step)  # less than a step farther away
    return np.clip(corners, 0, IMAGE_SIZE - WINDOW).astype(int)


def cut(images: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Cut windows uint8 [N,WINDOW,WINDOW,3] out of images uint8 [N,H,W,3]."""
    views = np.lib.stride_tricks.sliding_window_view(images, (WINDOW, WINDOW), axis=(1, 2))
    cuts = views[np.arange(len(images)), corners[:, 1], corners[:, 0]]
    return np.ascontiguousarray(cuts.transpose(0, 2, 3, 1))


def window_tokens(tokens: torch.Tensor, corners: np.ndarray) -> torch.Tensor:
    """Select the tokens [N,4,HIDDEN] of one window of each whole image from all its tokens [N,25,HIDDEN]."""
    side = IMAGE_SIZE // CELL
    columns, rows = torch.from_numpy(corners // CELL).T
    first = rows * side + columns
    index = first[:, None] + torch.tensor([row * side + column for row in range(CELLS) for column in range(CELLS)])
    return tokens[torch.arange(len(tokens))[:, None], index]


class WindowHead(nn.Module):
    """A temporary linear head on a window's mean token: points and flags."""

    def __init__(self, objects: int):
        super().__init__()
        self.points, self.flags = nn.Linear(HIDDEN, 2 * (1 + objects)), nn.Linear(HIDDEN, 2)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens [N,T,HIDDEN] → points [N,1+K,2] and the logits of flags [N,2]."""
        mean = tokens.float().mean(1)
        return self.points(mean).unflatten(1, (-1, 2)), self.flags(mean)


def window_loss(guesses: tuple[torch.Tensor, torch.Tensor], targets: WindowTargets) -> torch.Tensor:
    """L1 loss of the points (in windows) and cross entropy of the flags, where there are targets."""
    points, flags = guesses
    seen, known = ~targets.points.isnan(), ~targets.flags.isnan()
    loss = 2 * F.l1_loss(points[seen], targets.points[seen])
    return loss + F.binary_cross_entropy_with_logits(flags[known], targets.flags[known])
