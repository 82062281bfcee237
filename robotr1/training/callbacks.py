"""Trainer callbacks: a progress bar, seconds per step, a stop on NaN, a warning when nothing can be learned."""

import json
import math
import time
import warnings
from pathlib import Path

from tqdm import tqdm
from transformers import TrainerCallback

from robotr1.training.log import log_entry

SHOWN = ("loss", "reward", "accuracy", "entropy")  # in the progress bar


class Progress(TrainerCallback):
    """Show a progress bar on stderr and write the seconds of each step to a separate file."""

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
        shown = {name: value for name, value in log_entry(logs).items() if name in SHOWN}
        self.bar.set_postfix({name: f"{value:.3f}" for name, value in shown.items()})

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()


class StopOnNonFinite(TrainerCallback):
    """Raise ValueError where the loss or the gradient is not finite: all weights would be spoilt by the next update."""

    def on_log(self, args, state, control, logs=None, **kwargs):
        for name in ("loss", "grad_norm"):
            if not math.isfinite(value := logs.get(name, 0.0)):
                raise ValueError(
                    f"step {state.global_step}: the {name} is {value}. Lower learning_rate (now "
                    f"{args.learning_rate:g}) and run again."
                )


class NoLastCheckpoint(TrainerCallback):
    """Save no checkpoint at the last step: the policy is saved then, and resuming from it would take one more step."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step >= state.max_steps:
            control.should_save = False


class RewardWatch(TrainerCallback):
    """Warn once, with the likely cause, when `patience` steps in a row taught nothing, or nothing but the form.

    Where all completions of every group get the same reward, every advantage is zero and nothing is learned: the most
    common complaint about training with GRPO. Where no answer is ever right, only the form is learned.
    """

    def __init__(self, patience: int = 10):
        self.patience, self.zero_std, self.wrong, self.warned = patience, 0, 0, False

    def on_log(self, args, state, control, logs=None, **kwargs):
        entry = log_entry(logs)
        if "zero_std" not in entry:
            return
        self.zero_std = self.zero_std + 1 if math.isclose(entry["zero_std"], 1.0) else 0
        self.wrong = self.wrong + 1 if entry.get("accuracy", 1.0) == 0 else 0
        if self.warned or max(self.zero_std, self.wrong) < self.patience:
            return
        self.warned = True
        what = (
            f"for {self.zero_std} steps all completions of each group got the same reward, so nothing is learned"
            if self.zero_std >= self.patience
            else f"for {self.wrong} steps the accuracy reward was 0, so only the form is learned"
        )
        warnings.warn(f"step {state.global_step}: {what}. {likely_cause(entry)}", stacklevel=1)


def likely_cause(entry: dict[str, float]) -> str:
    """Why rewards do not differ, or are always zero: the likely cause by one step's log entry, and the fix."""
    form, accuracy = entry.get("format", 0.0), entry.get("accuracy", 0.0)
    if entry.get("truncated", 0.0) > 0.9:
        return "Nearly all completions are truncated: raise max_completion_length."
    if accuracy > 0.99:
        return "All answers are right already: train on harder questions, or stop."
    if form < 0.01 and accuracy < 0.01:
        return "No completion has the answer form: the start policy does not know it. Fine-tune it first."
    if accuracy < 0.01:
        return "No answer is ever right: check the column `answer`, or start from a policy that is sometimes right."
    return "All completions of a group are alike: raise the temperature, or lower the learning rate."
