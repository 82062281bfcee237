"""The tiny base learns to see: its vision tower, with heads that are thrown away afterwards, on snapshots and cuts.

The head on whole images tells where the gripper and the objects are, whether the gripper is open and whether it holds
the object: once from the mean token and once from what learned queries collect, as a language model's attention would.
The tower first practises on cuts (`robotr1.training.pretrain.cuts`), then on whole images and cuts together.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from robotr1.paths import atomic_write
from robotr1.policies.tiny import FREQUENCIES, HIDDEN, IMAGE_SIZE, number_features
from robotr1.training.pretrain import cuts
from robotr1.training.pretrain.snapshots import MOST_OBJECTS
from robotr1.training.pretrain.tower import CELL, patches, tower_tokens

SIDE = IMAGE_SIZE // CELL  # tokens
PLACES = 3 * (1 + MOST_OBJECTS)  # x, y and z of the gripper and the objects
WAVES = 2 * len(FREQUENCIES)
FLAGS = ("open", "held")
QUERIES = 6


@dataclass(frozen=True)
class VisionRecipe:
    """How the tower is trained. Rates rise over `warmup` steps and fall to zero over the last `decay` of all steps."""

    seed: int = 0
    blocks_per_task: int = 20
    cut_steps: int = 4000  # on cuts alone
    steps: int = 8000  # on whole images and cuts
    batch_size: int = 48
    cut_batch_size: int = 64
    rate: float = 2e-3
    warmup: int = 50
    decay: float = 0.3


class ImageHead(nn.Module):
    """Reads places (metres), their waves (see `number_features`) and flags from an image's tokens, in two ways."""

    def __init__(self):
        super().__init__()
        outputs = PLACES * (1 + WAVES) + len(FLAGS)
        self.query = nn.Linear(HIDDEN, QUERIES)
        self.mean, self.pooled = nn.Linear(HIDDEN, outputs), nn.Linear(QUERIES * HIDDEN, outputs)

    def forward(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        """Tokens [N,T,HIDDEN] → by way of reading: [N, PLACES * (1 + WAVES) + len(FLAGS)]."""
        tokens = tokens.float()
        collected = self.query(tokens).softmax(1).transpose(1, 2) @ tokens
        return {"mean": self.mean(tokens.mean(1)), "pooled": self.pooled(collected.flatten(1))}


@dataclass(frozen=True)
class ImageTargets:
    """`places` [N,PLACES] in metres and `waves` [N,PLACES,WAVES], NaN where a task has fewer objects; `flags` [N,2]."""

    places: torch.Tensor
    waves: torch.Tensor
    flags: torch.Tensor


def image_targets(data: dict[str, np.ndarray], chosen: np.ndarray) -> ImageTargets:
    places = np.concatenate([data["gripper"][chosen, None], data["objects"][chosen]], axis=1).reshape(-1, PLACES)
    flags = np.stack([data[name][chosen] for name in FLAGS], axis=1)
    floats = partial(torch.tensor, dtype=torch.float32)
    return ImageTargets(floats(places), floats(number_features(places)), floats(flags))


def image_loss(output: torch.Tensor, targets: ImageTargets) -> torch.Tensor:
    """L1 of the places, squared error of their waves and cross entropy of the flags."""
    places, waves, flags = output.split([PLACES, PLACES * WAVES, len(FLAGS)], dim=1)
    known = ~targets.places.isnan()
    loss = 3 * F.l1_loss(places[known], targets.places[known])
    loss = loss + F.mse_loss(waves.unflatten(1, (PLACES, WAVES))[known], targets.waves[known])
    return loss + 0.4 * F.binary_cross_entropy_with_logits(flags, targets.flags)


class VisionTraining:
    """The tower, its heads, optimizers and generator: everything that a resumed run needs."""

    def __init__(self, visual: nn.Module, recipe: VisionRecipe, compiled: bool = False, bf16: bool = False):
        torch.manual_seed(recipe.seed)
        self.visual, self.recipe, self.bf16 = visual, recipe, bf16
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

    def look(self, images: np.ndarray) -> torch.Tensor:
        """Tokens [N,T,HIDDEN] of images or cuts uint8 [N,H,W,3]."""
        cells = images.shape[1] // CELL, images.shape[2] // CELL
        if not torch.is_grad_enabled():  # errors are those of the plain pass in 32 bits
            return tower_tokens(self.visual, patches(images), *cells)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            return self.tokens(self.visual, patches(images), *cells)

    def loss(self, data: dict[str, np.ndarray]) -> torch.Tensor:
        """The loss of the next batch: cuts, and after `cut_steps` whole images and their windows too."""
        recipe, count = self.recipe, len(data["images"])
        only_cuts = self.step < recipe.cut_steps
        chosen = self.rng.choice(count, 2 * recipe.cut_batch_size if only_cuts else recipe.cut_batch_size, replace=False)
        corners = cuts.draw_corners(cuts.snapshot_points(data, chosen), self.rng)
        tokens = self.look(cuts.cut(data["images"][chosen], corners))
        loss = cuts.window_loss(self.window_head(tokens), cuts.window_targets(data, chosen, corners))
        if only_cuts:
            return loss
        chosen = self.rng.choice(count, recipe.batch_size, replace=False)
        tokens, targets = self.look(data["images"][chosen]), image_targets(data, chosen)
        corners = cuts.draw_corners(cuts.snapshot_points(data, chosen), self.rng, CELL)
        windows = self.window_head(cuts.window_tokens(tokens, corners))
        loss = 0.3 * loss + 0.3 * cuts.window_loss(windows, cuts.window_targets(data, chosen, corners))
        return loss + sum(image_loss(output, targets) for output in self.image_head(tokens).values())

    def train_step(self, data: dict[str, np.ndarray]) -> float:
        """One update; returns the loss."""
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
        """Warm-up (again when whole images begin), a plateau, and a straight line to zero at the end."""
        cut_steps, total = self.recipe.cut_steps, self.recipe.cut_steps + self.recipe.steps
        since = self.step - (cut_steps if self.step >= cut_steps else 0)
        left = (total - self.step) / max(self.recipe.decay * self.recipe.steps, 1)
        return min(1.0, (since + 1) / self.recipe.warmup, left)

    def state(self) -> dict:
        modules = {"visual": self.visual, "image_head": self.image_head, "window_head": self.window_head}
        state = {name: module.state_dict() for name, module in modules.items()}
        state["optimizers"] = [optimizer.state_dict() for optimizer in self.optimizers]
        return state | {"rng": self.rng.bit_generator.state, "step": self.step}

    def load_state(self, state: dict) -> None:
        for name in ("visual", "image_head", "window_head"):
            getattr(self, name).load_state_dict(state[name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.rng.bit_generator.state, self.step = state["rng"], state["step"]


def train_vision(
    training: VisionTraining,
    data: dict[str, np.ndarray],
    validation: dict[str, np.ndarray],
    checkpoint: Path,
    log: Callable,
    every: int = 250,
) -> None:
    """Train to the end of the recipe; resume from `checkpoint`, which is written every `every` steps."""
    if checkpoint.exists():
        training.load_state(torch.load(checkpoint, weights_only=False))
    total, losses = training.recipe.cut_steps + training.recipe.steps, []
    while training.step < total:
        losses.append(training.train_step(data))
        if training.step % every == 0 or training.step == total:
            with atomic_write(checkpoint) as temporary:
                torch.save(training.state(), temporary)
            log(step=training.step, loss=float(np.mean(losses)), **measure(training, validation))
            losses = []


@torch.no_grad()
def measure(training: VisionTraining, data: dict[str, np.ndarray], block: int = 100) -> dict[str, float]:
    """Errors on snapshots: places in cm (mean over axes), shares of right flags, by way of reading; and of windows."""
    rows = [errors(training, data, np.arange(start, start + block)) for start in range(0, len(data["images"]), block)]
    return {key: float(torch.cat([row[key] for row in rows]).nanmean()) for key in rows[0]}


def errors(training: VisionTraining, data: dict[str, np.ndarray], chosen: np.ndarray) -> dict[str, torch.Tensor]:
    """The errors of `measure` for each chosen snapshot [N]."""
    points = cuts.snapshot_points(data, chosen)
    corners = cuts.draw_corners(points, np.random.default_rng(0))
    shown = cuts.window_targets(data, chosen, corners)
    points, flags = training.window_head(training.look(cuts.cut(data["images"][chosen], corners)))
    found = {
        "window_tip_px": cuts.WINDOW * (points - shown.points)[:, 0].abs().mean(-1),
        "window_object_px": cuts.WINDOW * (points - shown.points)[:, 1:].abs().flatten(1).nanmean(-1),
        "window_open": torch.where(shown.flags.isnan(), math.nan, ((flags > 0) == (shown.flags > 0.5)).float())[:, 0],
        "window_held": torch.where(shown.flags.isnan(), math.nan, ((flags > 0) == (shown.flags > 0.5)).float())[:, 1],
    }
    if training.step <= training.recipe.cut_steps:
        return found
    targets = image_targets(data, chosen)
    for way, output in training.image_head(training.look(data["images"][chosen])).items():
        away = 100 * (output[:, :PLACES] - targets.places).abs()
        found[f"{way}_gripper_cm"], found[f"{way}_object_cm"] = away[:, :3].mean(1), away[:, 3:].nanmean(1)
        for index, flag in enumerate(FLAGS, start=-len(FLAGS)):
            found[f"{way}_{flag}"] = ((output[:, index] > 0) == (targets.flags[:, index] > 0.5)).float()
    return found
