"""What a training run tells while it runs: a progress bar, seconds per step, a warning when nothing can be learned."""

import json
import math
import time
import warnings
from pathlib import Path
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback

SHOWN = ("loss", "reward", "accuracy", "entropy")

# TRL's names → the log's. What is not listed (times, token counts, clip ratios) stays out of the log.
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
    "completions/mean_length": "length",
    "completions/clipped_ratio": "cut_off",
    "frac_reward_zero_std": "zero_spread",
    "kl": "kl",
    "entropy": "entropy",
    "accuracy/waypoint": "accuracy_waypoint",
    "accuracy/state": "accuracy_state",
    "accuracy/movement": "accuracy_movement",
}


def step_log(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A trainer's log history as one entry a step under the log's names, without anything that depends on the clock."""
    entries = []
    for record in history:
        entry = {ours: record[trl] for trl, ours in LOGGED.items() if record.get(trl) is not None}
        if "loss" in entry:
            entries.append({"step": record["step"], **entry})
    return entries


def round_floats(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in entry.items()}


class Progress(TrainerCallback):
    """A progress bar on stderr, and the seconds of each step in a file of their own."""

    def __init__(self, seconds_file: Path):
        self.seconds_file, self.bar, self.started = seconds_file, None, 0.0

    def on_train_begin(self, args, state, control, **kwargs):
        self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc="training")
        if state.global_step == 0:
            self.seconds_file.unlink(missing_ok=True)

    def on_step_begin(self, args, state, control, **kwargs):
        self.started = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        with open(self.seconds_file, "a") as file:
            seconds = round(time.perf_counter() - self.started, 3)
            file.write(json.dumps({"step": state.global_step, "seconds": seconds}) + "\n")
        self.bar.update()

    def on_log(self, args, state, control, logs=None, **kwargs):
        entry = {ours: logs[trl] for trl, ours in LOGGED.items() if ours in SHOWN and logs.get(trl) is not None}
        self.bar.set_postfix({key: f"{value:.3f}" for key, value in entry.items()})

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()


class NoLastCheckpoint(TrainerCallback):
    """No checkpoint of the last step: the policy itself is saved then, and Trainer, going on from such a checkpoint,
    would take a step too many."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step >= state.max_steps:
            control.should_save = False


class RewardWatch(TrainerCallback):
    """Warn once when for `patience` steps nothing was learned, or nothing but the form, and say why.

    Where all completions of every group get the same reward, every advantage is zero and nothing is learned: the
    most common complaint of those who train this way. Where answers never earn anything, only the form is learned.
    """

    def __init__(self, patience: int = 10):
        self.patience, self.flat, self.fruitless, self.warned = patience, 0, 0, False

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs.get("frac_reward_zero_std") is None:
            return
        self.flat = self.flat + 1 if math.isclose(logs["frac_reward_zero_std"], 1.0) else 0
        self.fruitless = self.fruitless + 1 if part(logs, "accuracy", missing=1.0) == 0 else 0
        if self.warned or max(self.flat, self.fruitless) < self.patience:
            return
        self.warned = True
        what = (
            f"for {self.flat} steps all completions of each group got the same reward, so nothing is learned"
            if self.flat >= self.patience
            else f"for {self.fruitless} steps no answer earned anything, so nothing but the form is learned"
        )
        warnings.warn(f"step {state.global_step}: {what}. {reason(logs)}", stacklevel=1)


def part(logs: dict[str, float], name: str, missing: float = 0.0) -> float:
    """The mean of the reward that the log calls `name` ("format" or "accuracy"), whatever the form, or `missing`."""
    return next((logs[trl] for trl, ours in LOGGED.items() if ours == name and logs.get(trl) is not None), missing)


def reason(logs: dict[str, float]) -> str:
    """The likely cause of rewards without spread, or always zero, from one step's metrics."""
    form, accuracy = part(logs, "format"), part(logs, "accuracy")
    if logs.get("completions/clipped_ratio", 0.0) > 0.9:
        return "Nearly all completions are cut off before they end: raise max_completion_length."
    if accuracy > 0.99:
        return "All answers are right already: ask harder questions, or stop."
    if form < 0.01 and accuracy < 0.01:
        return "No completion has the form that is asked for: the start does not know it yet. Fine-tune it first."
    if accuracy < 0.01:
        return "No answer is ever right: check the column `answer`, or start from a policy that is sometimes right."
    return "The policy always writes the same: raise the temperature, or lower the learning rate."
