"""Solutions to the exercises of 06_train_grpo: `python notebooks/solutions/06_train_grpo.py`.

Trains for 5 steps only, so that it ends soon; a larger number shows the effects: `… 06_train_grpo.py 200`.
"""

import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from robotr1 import paths
from robotr1.records import Question, read_records
from robotr1.settings import load_settings
from robotr1.training.grpo.trainer import train


def log_of(name, **changes):
    """The log of a short run with these settings; the policy is not kept."""
    settings = replace(load_settings()["train_grpo"], **changes)
    folder = Path(tempfile.mkdtemp()) / f"solution-{name}"
    questions = read_records(paths.QUESTIONS / "train.jsonl", Question)
    try:
        log = train(settings, questions, paths.MODELS / "base", folder)
    finally:
        shutil.rmtree(paths.CHECKPOINTS / folder.name, ignore_errors=True)
    return pd.DataFrame(log).set_index("step")


def form_alone(steps):
    """1. Only the form. The base has it in 94 % of its answers, so three in four groups are zero-std from the first step:
    the reward starts near 1, and nothing rewards accuracy."""
    log = log_of("form", steps=steps, accuracy_weight=0.0)
    print(log[["reward", "format", "accuracy", "zero_std"]].mean().round(3).to_string())


def not_zero_std():
    """2. Largest at p = 1/2, for every group size; larger groups also learn from easier and harder questions."""
    chances = np.array([0.05, 0.25, 0.5, 0.75, 0.95])  # of a right answer
    rows = {f"G = {size}": 1 - chances**size - (1 - chances) ** size for size in (2, 5, 10)}
    assert all(row.argmax() == 2 for row in rows.values())
    print(pd.DataFrame(rows, index=pd.Index(chances, name="p")).round(2).T)


def kl_term(steps):
    """3. KL stays small, because leaving the base costs reward, and accuracy rises more slowly. Every step also needs
    the base's probabilities: one more forward pass, and zero-std groups can no longer be skipped."""
    for beta in (0.0, 0.1):
        log = log_of(f"beta{beta}", steps=steps, beta=beta)
        shown = log[[name for name in ("accuracy", "kl") if name in log]].tail(max(1, steps // 10)).mean()
        print(f"beta {beta}:", ", ".join(f"{name} {value:.4f}" for name, value in shown.items()))


if __name__ == "__main__":
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    form_alone(steps)
    not_zero_std()
    kl_term(steps)
