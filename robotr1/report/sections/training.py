"""Section "training": learning curves, and how far the seeds of an algorithm differ."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from robotr1.report.results import Results
from robotr1.report.section import Drawing, Section, Table
from robotr1.report.style.figures import WIDTH, legend_below, style
from robotr1.report.style.names import ALGORITHM_NAMES, is_reinforced, label
from robotr1.report.style.text import interval, points

SMOOTHING = 10  # steps in the rolling mean of training curves
CURVES = {
    "reward": "mean reward",
    "accuracy": "share right (sampled)",
    "length": "completion length (tokens)",
    "zero_std": "groups without spread (share)",
}
COLUMNS = ("reward", "accuracy", "length", "zero_std", "truncated", "entropy", "kl", "loss", "token_accuracy")


def training_frame(results: Results) -> pd.DataFrame:
    """All training logs in one frame: policy, step, and the curves that `dvc plots` draws."""
    columns = ["policy", "step", *COLUMNS]
    logs = [log.assign(policy=policy).reindex(columns=columns) for policy, log in results.study.training.items()]
    logs = [log.dropna(axis="columns", how="all") for log in logs]
    return (pd.concat(logs) if logs else pd.DataFrame()).reindex(columns=columns)


def seeds_table(results: Results) -> pd.DataFrame:
    """Algorithms trained with several seeds: pooled accuracy, spread of the seeds, and the gain over the base."""
    rows = []
    for row in results.seeds.query("seeds > 1 and split in @results.test_splits").itertuples():
        rows.append(
            {
                "algorithm": ALGORITHM_NAMES.get(row.algorithm, row.algorithm),
                "split": row.split,
                "type": row.type,
                "seeds": str(row.seeds),
                "all seeds, over episodes": interval(row.accuracy, row.low, row.high),
                "lowest to highest seed": f"{100 * row.lowest:.1f} to {100 * row.highest:.1f}",
                "deviation of seeds": f"{100 * row.deviation:.1f}",
                "gain over base": "" if pd.isna(row.gain) else points(row.gain, row.gain_low, row.gain_high),
            }
        )
    return pd.DataFrame(rows)


def draw_grpo(results: Results) -> Figure | None:
    """Reward, accuracy, length and zero-std groups over the steps of reinforcement learning."""
    runs = {name: log for name, log in results.study.training.items() if is_reinforced(name)}
    return _curves(runs, [curve for curve in CURVES if any(curve in log for log in runs.values())])


def draw_sft(results: Results) -> Figure | None:
    """Loss and token accuracy over the steps of supervised fine-tuning."""
    runs = {name: log for name, log in results.study.training.items() if name.startswith("sft-")}
    curves = ("loss", "token_accuracy")
    return _curves(runs, [curve for curve in curves if any(curve in log for log in runs.values())])


def _curves(runs: dict[str, pd.DataFrame], curves: Sequence[str]) -> Figure | None:
    if not curves:
        return None
    rows = (len(curves) + 1) // 2
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, 0.5 + 2.3 * rows), layout="constrained", squeeze=False)
    looks = style(runs)
    for axis, curve in zip(axes.flat, curves):
        for name, log in runs.items():
            if curve not in log:
                continue
            color = looks[name]["color"]
            axis.plot(log["step"], log[curve], ".", color=color, alpha=0.3, markersize=3)
            mean = log[curve].rolling(SMOOTHING, min_periods=1).mean()
            sns.lineplot(x=log["step"], y=mean, color=color, label=label(name), ax=axis, legend=False, errorbar=None)
        axis.set(xlabel="step", ylabel="", title=CURVES.get(curve, curve.replace("_", " ")))
    for axis in axes.flat[len(curves) :]:
        axis.set_visible(False)
    if len(runs) > 1:
        legend_below(figure)
    return figure


SECTION = Section(
    name="training",
    title="Training",
    drawings={
        "training_curves": Drawing(
            "Reinforcement learning",
            "A dot is one step, the line the mean of the last ten. Check first whether the share right rises with the "
            "reward: the reward alone also rises when only the format improves. Then check the zero-std groups: if all "
            "completions of a prompt get the same reward, that prompt teaches nothing. The share right is of sampled "
            "completions on training questions; the benchmarks use greedy decoding.",
            draw_grpo,
        ),
        "finetuning_curves": Drawing(
            "Supervised fine-tuning",
            "Loss and token accuracy on the examples to imitate. Once the curves are flat, longer training would "
            "change little. The two forms have different lengths, so their levels do not compare.",
            draw_sft,
        ),
    },
    tables={"seeds": Table("Algorithms over their seeds", seeds_table, folded=True)},
    frames={"seeds": lambda results: results.seeds, "training": training_frame},
)
