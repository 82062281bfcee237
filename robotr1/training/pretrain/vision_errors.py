"""Errors of the vision tower on held-out snapshots, and the tower's weights with these errors beside them."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from robotr1.paths import write_json
from robotr1.training.pretrain import cuts
from robotr1.training.pretrain.image_head import FLAGS, image_targets
from robotr1.training.pretrain.tower import look
from robotr1.training.pretrain.vision import VisionTraining

WEIGHTS_NAME, REPORT_NAME = "tower.safetensors", "tower.json"


@torch.no_grad()
def snapshot_errors(training: VisionTraining, data: dict[str, np.ndarray], block: int = 100) -> pd.DataFrame:
    """Compute errors by snapshot, in 32 bits: positions in cm (mean over axes), cuts in pixels, flags right (1) or not.

    One row per snapshot, with its `task`. Whole images are left out while training is still on cuts alone.
    """
    parts, every = [], np.arange(len(data["images"]))
    corners = cuts.sample_corners(cuts.snapshot_points(data, every), np.random.default_rng(0))
    for start in range(0, len(every), block):
        chosen = every[start : start + block]
        errors = _cut_errors(training, data, chosen, corners[chosen])
        if training.step > training.recipe.cut_steps:
            errors |= _image_errors(training, data, chosen)
        parts.append(pd.DataFrame({"task": data["task"][chosen]} | {key: v.numpy() for key, v in errors.items()}))
    return pd.concat(parts, ignore_index=True)


def mean_errors(training: VisionTraining, data: dict[str, np.ndarray]) -> dict[str, float]:
    """The means of `snapshot_errors`."""
    return snapshot_errors(training, data).drop(columns="task").mean().to_dict()


def save_tower(folder: Path, training: VisionTraining, test: dict[str, np.ndarray], facts: dict) -> None:
    """Save the tower's weights in 16 bits, and a report: errors of these weights on `test`, in all and by task.

    `facts` (recipe, machine, minutes, curve) are added to the report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.half().contiguous() for name, value in training.visual.state_dict().items()}
    full = mean_errors(training, test)
    save_file(weights, folder / WEIGHTS_NAME)
    load_tower(folder, training.visual)
    errors = snapshot_errors(training, test)
    tasks = errors.groupby("task").mean().round(3).to_dict(orient="index")
    mean = errors.drop(columns="task").mean().round(3).to_dict()
    full = {key: round(value, 3) for key, value in full.items()}
    report = {"snapshots": len(errors), "errors": mean, "errors_32_bit": full, "errors_by_task": tasks}
    write_json(folder / REPORT_NAME, facts | report)


def load_tower(folder: Path, visual: torch.nn.Module) -> None:
    """Load the weights that `save_tower` wrote."""
    weights = load_file(folder / WEIGHTS_NAME)
    visual.load_state_dict({name: value.float() for name, value in weights.items()})


def _image_errors(training: VisionTraining, data: dict[str, np.ndarray], chosen: np.ndarray) -> dict[str, torch.Tensor]:
    targets = image_targets(data, chosen)
    positions, _, flags = training.image_head(look(training.visual, data["images"][chosen]))
    away = 100 * (positions - targets.positions).abs()
    right = ((flags > 0) == (targets.flags > 0.5)).float()
    errors = {"gripper_error_cm": away[:, :3].mean(1), "object_error_cm": away[:, 3:].nanmean(1)}
    return errors | {f"{flag}_accuracy": right[:, index] for index, flag in enumerate(FLAGS)}


def _cut_errors(
    training: VisionTraining, data: dict[str, np.ndarray], chosen: np.ndarray, corners: np.ndarray
) -> dict[str, torch.Tensor]:
    targets = cuts.window_targets(data, chosen, corners)
    points, flags = training.window_head(look(training.visual, cuts.cut(data["images"][chosen], corners)))
    away = cuts.WINDOW * (points - targets.points).abs().mean(-1)
    right = torch.where(targets.flags.isnan(), math.nan, ((flags > 0) == (targets.flags > 0.5)).float())
    errors = {"cut_tip_error_px": away[:, 0], "cut_object_error_px": away[:, 1:].nanmean(1)}
    return errors | {f"cut_{flag}_accuracy": right[:, index] for index, flag in enumerate(FLAGS)}
