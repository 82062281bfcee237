"""Compare learning with TRL's trainer and ours: the same base, the same questions, several seeds.

    python performance/grpo_curves.py --steps 60   train (results/grpo_curves.json), draw reports/grpo_curves.png
    python performance/grpo_curves.py --draw       draw again from the file

The two sample their completions from different random streams, so single runs differ. Three seeds each are compared in
the mean reward of the second half, with Welch's interval for the difference.
"""

import argparse
import dataclasses
import json
import statistics
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from common import RESULTS, machine
from grpo_step import make
from scipy.stats import ttest_ind

from robotr1 import paths
from robotr1.records import Question, read_records
from robotr1.settings import load_settings
from robotr1.training.memory import torch_threads
from robotr1.training.rewards import REWARDS

FILE = RESULTS / "grpo_curves.json"
TRAINERS = {"trl": {"trl": True}, "ours": {}}
WINDOW = 10  # steps; a single step's reward is that of 80 completions


def train(steps: int, seeds: int) -> dict:
    """Rewards of every step, [seeds][steps] for each trainer; written after each run, so that a stop loses one run."""
    settings = dataclasses.replace(load_settings()["train_grpo"], algorithm="grpo", steps=steps, save_steps=steps + 1)
    questions, base = read_records(paths.QUESTIONS / "train.jsonl", Question), paths.MODELS / "base"
    rewards: dict[str, list[list[float]]] = {name: [] for name in TRAINERS}
    with torch_threads(settings.threads):
        for seed in range(seeds):
            for name, variant in TRAINERS.items():
                trainer, cache = make(
                    dataclasses.replace(settings, seed=seed), questions, base, variant, None, REWARDS["mcqa"]
                )
                with cache:
                    trainer.train()
                rewards[name].append([entry["reward"] for entry in trainer.state.log_history if "loss" in entry])
                print(name, seed, round(statistics.mean(rewards[name][-1][steps // 2 :]), 3), flush=True)
                paths.write_json(FILE, {"machine": machine(), "rewards": rewards} | compared(rewards))
    return json.loads(FILE.read_text())


def compared(rewards: dict[str, list[list[float]]]) -> dict:
    """Means of the second halves, and Welch's 95 % interval for ours minus TRL's with two seeds or more."""
    late = {name: [statistics.mean(run[len(run) // 2 :]) for run in seeds] for name, seeds in rewards.items()}
    if min(map(len, late.values())) < 2:
        return {"second_half": late}
    test = ttest_ind(late["ours"], late["trl"], equal_var=False)
    low, high = test.confidence_interval()
    difference = statistics.mean(late["ours"]) - statistics.mean(late["trl"])
    return {"second_half": late, "difference": difference, "low": low, "high": high, "p_value": float(test.pvalue)}


def draw(result: dict, file: Path) -> None:
    """Draw moving means: a thin line per seed, a thick line for their mean."""
    fig, ax = plt.subplots(figsize=(6, 3.2), dpi=120, layout="constrained")
    for name, label, color in (("trl", "TRL", "#d55e00"), ("ours", "robotr1", "#0072b2")):
        smooth = [np.convolve(run, np.ones(WINDOW) / WINDOW, "valid") for run in result["rewards"][name]]
        steps = np.arange(WINDOW, WINDOW + len(smooth[0]))
        for run in smooth:
            ax.plot(steps, run, color=color, linewidth=0.7, alpha=0.6)
        ax.plot(steps, np.mean(smooth, axis=0), color=color, linewidth=2.2, label=label)
    ax.set(xlabel="step", ylabel=f"reward, mean of {WINDOW} steps")
    ax.legend(frameon=False)
    fig.savefig(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draw", action="store_true", help="only draw")
    options = parser.parse_args()
    paths.CHECKPOINTS = Path(tempfile.mkdtemp(prefix="robotr1-benchmark-"))
    result = json.loads(FILE.read_text()) if options.draw else train(options.steps, options.seeds)
    print({key: value for key, value in result.items() if key not in ("machine", "rewards")})
    draw(result, paths.REPORTS / "grpo_curves.png")


if __name__ == "__main__":
    main()
