"""The training log: one entry per optimiser step, under the study's names for TRL's metrics."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robotr1 import paths

# TRL's names → the log's. Other metrics (times, token counts, clip ratios) are not logged.
LOGGED = {
    "loss": "loss",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "mean_token_accuracy": "token_accuracy",
    "reward": "reward",
    "reward_std": "reward_std",
    "rewards/format_reward/mean": "format",
    "rewards/accuracy_reward/mean": "accuracy",
    "rewards/consistency_reward/mean": "consistency",
    "rewards/open_format_reward/mean": "format",
    "rewards/state_reward/mean": "accuracy",
    "rewards/plan_format_reward/mean": "format",
    "rewards/plan_order_reward/mean": "accuracy",
    "rewards/point_format_reward/mean": "format",
    "rewards/point_reward/mean": "accuracy",
    "rewards/box_format_reward/mean": "format",
    "rewards/box_reward/mean": "accuracy",
    "rewards/path_format_reward/mean": "format",
    "rewards/path_reward/mean": "accuracy",
    "rewards/progress_format_reward/mean": "format",
    "rewards/progress_reward/mean": "accuracy",
    "completions/mean_length": "length",
    "completions/clipped_ratio": "truncated",
    "frac_reward_zero_std": "zero_std",
    "kl": "kl",
    "entropy": "entropy",
    "accuracy/waypoint": "accuracy_waypoint",
    "accuracy/state": "accuracy_state",
    "accuracy/movement": "accuracy_movement",
}


def log_entry(metrics: dict[str, Any]) -> dict[str, Any]:
    """TRL's metrics of one step under the log's names."""
    return {name: metrics[trl] for trl, name in LOGGED.items() if metrics.get(trl) is not None}


def step_log(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A trainer's log history as one entry per step, without anything that depends on the clock."""
    entries = [{"step": record["step"], **log_entry(record)} for record in history]
    return [entry for entry in entries if "loss" in entry]


def write_log(path: Path, log: Sequence[dict[str, Any]]) -> None:
    """Write one JSON object per step, floats rounded to 6 decimals."""
    paths.write_text(path, "".join(json.dumps(round_floats(entry), sort_keys=True) + "\n" for entry in log))


def round_floats(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in entry.items()}
