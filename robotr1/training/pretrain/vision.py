"""Pretrain the tiny base's vision tower with temporary heads: first on cuts, then on whole images and cuts.

Matrices are trained with Muon (Jordan et al. 2024) at AdamW's scale, everything else with AdamW.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from robotr1.paths import atomic_write
from robotr1.training.pretrain import cuts
from robotr1.training.pretrain.image_head import ImageHead, image_loss, image_targets
from robotr1.training.pretrain.snapshots import MOST_OBJECTS
from robotr1.training.pretrain.tower import CELL, patches, tower_tokens

WINDOW_WEIGHT = 0.3  # of cuts and of windows in the loss, next to whole images
MODULES = ("visual", "image_head", "window_head")


@dataclass(frozen=True)
class VisionRecipe:
    """How the tower is trained.

    `rate` rises over `warmup` steps, at the start and again with the first whole image, and falls on a straight line to
    zero over the last `decay` (a share) of `steps`.
    """

    seed: int = 0
    blocks_per_task: int = 400  # of 100 snapshots; 8,000 images were learned by heart within 14 epochs
    cut_steps: int = 4000  # on cuts alone
    steps: int = 12_000  # on whole images and cuts
    batch_size: int = 48  # whole images
    cut_batch_size: int = 64  # twice as many while there are only cuts
    rate: float = 2e-3
    warmup: int = 50
    decay: float = 0.6
    bf16: bool = True


class VisionTraining:
    """The tower, its heads, the optimizers and the generator: the state of a run.

    `compiled`: let torch.compile translate the forward pass (it needs a C++ compiler).
    """

    def __init__(self, visual: nn.Module, recipe: VisionRecipe, compiled: bool = False):
        torch.manual_seed(recipe.seed)
        self.visual, self.recipe = visual, recipe
        self.image_head, self.window_head = ImageHead(), cuts.WindowHead(MOST_OBJECTS)
        self.tokens = torch.compile(tower_tokens, dynamic=False) if compiled else tower_tokens
        matrices = [value for value in visual.parameters() if value.ndim == 2]
        others = [value for value in visual.parameters() if value.ndim != 2]
        others += [*self.image_head.parameters(), *self.window_head.parameters()]
        self.parameters = matrices + others
        muon = torch.optim.Muon(matrices, lr=recipe.rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
        self.optimizers = [muon, torch.optim.AdamW(others, lr=recipe.rate, weight_decay=0.01)]
        self.rng = np.random.default_rng([recipe.seed, 1])
        self.step = 0

    @property
    def total_steps(self) -> int:
        return self.recipe.cut_steps + self.recipe.steps

    def look(self, images: np.ndarray) -> torch.Tensor:
        """Tokens [N,T,HIDDEN] of images or cuts uint8 [N,H,W,3], in 16 bits where the recipe says so."""
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.recipe.bf16):
            return self.tokens(self.visual, patches(images), images.shape[1] // CELL, images.shape[2] // CELL)

    def loss(self, data: dict[str, np.ndarray]) -> torch.Tensor:
        """The loss of the next batch: cuts, and after `cut_steps` whole images and one window of each."""
        if self.step < self.recipe.cut_steps:
            return self._cut_loss(data, 2 * self.recipe.cut_batch_size)
        chosen = self.rng.choice(len(data["images"]), self.recipe.batch_size, replace=False)
        tokens = self.look(data["images"][chosen])
        corners = cuts.sample_corners(cuts.snapshot_points(data, chosen), self.rng, CELL)
        windows = self.window_head(cuts.window_tokens(tokens, corners))
        window_loss = cuts.window_loss(windows, cuts.window_targets(data, chosen, corners))
        window_loss = window_loss + self._cut_loss(data, self.recipe.cut_batch_size)
        return image_loss(self.image_head(tokens), image_targets(data, chosen)) + WINDOW_WEIGHT * window_loss

    def _cut_loss(self, data: dict[str, np.ndarray], count: int) -> torch.Tensor:
        chosen = self.rng.choice(len(data["images"]), count, replace=False)
        corners = cuts.sample_corners(cuts.snapshot_points(data, chosen), self.rng)
        tokens = self.look(cuts.cut(data["images"][chosen], corners))
        return cuts.window_loss(self.window_head(tokens), cuts.window_targets(data, chosen, corners))

    def train_step(self, data: dict[str, np.ndarray]) -> float:
        """Make one update; returns the loss."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.recipe.rate * self.rate_factor()
            optimizer.zero_grad()
        loss = self.loss(data)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        return loss.item()

    def rate_factor(self) -> float:
        """The present rate as a share of the recipe's `rate`."""
        recipe = self.recipe
        since = self.step - (recipe.cut_steps if self.step >= recipe.cut_steps else 0)
        left = (self.total_steps - self.step) / max(recipe.decay * recipe.steps, 1)
        return min(1.0, (since + 1) / recipe.warmup, left)

    def state(self) -> dict:
        """Everything that a resumed run needs, as `load_state` takes it."""
        state = {name: getattr(self, name).state_dict() for name in MODULES}
        state["optimizers"] = [optimizer.state_dict() for optimizer in self.optimizers]
        return state | {"rng": self.rng.bit_generator.state, "step": self.step}

    def load_state(self, state: dict) -> None:
        for name in MODULES:
            getattr(self, name).load_state_dict(state[name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.rng.bit_generator.state, self.step = state["rng"], state["step"]


def train_vision(
    training: VisionTraining,
    data: dict[str, np.ndarray],
    checkpoint: Path,
    log: Callable,
    measure: Callable[[VisionTraining], dict[str, float]],
    every: int = 250,
) -> None:
    """Train to the end of the recipe, or resume from `checkpoint`, which is written every `every` steps.

    The log gets the mean loss and what `measure` returns, for example `vision_errors.mean_errors` on validation data.
    """
    if checkpoint.exists():
        training.load_state(torch.load(checkpoint, weights_only=False))
    losses = []
    while training.step < training.total_steps:
        losses.append(training.train_step(data))
        if training.step % every == 0 or training.step == training.total_steps:
            log(step=training.step, loss=float(np.mean(losses)), **measure(training))
            losses = []
            with atomic_write(checkpoint) as temporary:
                torch.save(training.state(), temporary)
