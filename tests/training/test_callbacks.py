import warnings
from types import SimpleNamespace

import pytest

from robotr1.training.callbacks import RewardWatch, reason, step_log
from robotr1.training.rewards import REWARDS


def show(watch, spread, steps, **metrics):
    for step in range(steps):
        logs = {"frac_reward_zero_std": spread} | {key.replace("__", "/"): value for key, value in metrics.items()}
        watch.on_log(None, SimpleNamespace(global_step=step), None, logs=logs)


def test_warns_once_after_steps_without_spread():
    watch = RewardWatch(patience=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        show(watch, 1.0, 2)
        show(watch, 0.9, 1)
        show(watch, 1.0, 2)
    with pytest.warns(UserWarning, match="nothing is learned"):
        show(watch, 1.0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        show(watch, 1.0, 5)


@pytest.mark.parametrize(
    ("form", "accuracy", "cut", "says"),
    [
        (1.0, 1.0, 0.0, "right already"),
        (0.0, 0.0, 0.0, "form"),
        (0.0, 0.0, 1.0, "max_completion_length"),
        (1.0, 0.0, 0.0, "ever right"),
        (1.0, 0.25, 0.0, "temperature"),
    ],
)
def test_the_reason_fits_the_metrics(form, accuracy, cut, says):
    logs = {
        "rewards/format_reward/mean": form,
        "rewards/accuracy_reward/mean": accuracy,
        "completions/clipped_ratio": cut,
    }
    assert says in reason(logs)


def test_warns_where_only_the_form_is_learned():
    metrics = {"rewards__open_format_reward__mean": 0.5, "rewards__state_reward__mean": 0.0}
    watch = RewardWatch(patience=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        show(watch, 0.5, 2, **metrics)
        show(watch, 0.5, 1, **metrics | {"rewards__state_reward__mean": 0.1})
        show(watch, 0.5, 2, **metrics)
    with pytest.warns(UserWarning, match="nothing but the form is learned. No answer is ever right"):
        show(watch, 0.5, 1, **metrics)


@pytest.mark.parametrize("form", REWARDS)
def test_the_rewards_of_every_form_are_logged(form):
    logs = {f"rewards/{reward.__name__}/mean": value for reward, value in zip(REWARDS[form], (0.25, 0.75), strict=True)}
    assert step_log([{"step": 1, "loss": 0.5, **logs}]) == [{"step": 1, "loss": 0.5, "format": 0.25, "accuracy": 0.75}]


def test_consistency_is_logged_where_it_is_rewarded():
    assert step_log([{"step": 1, "loss": 0.5, "rewards/consistency_reward/mean": 0.75}]) == [
        {"step": 1, "loss": 0.5, "consistency": 0.75}
    ]


def test_log_has_no_clock_and_no_summary():
    history = [
        {"step": 1, "loss": 0.5, "reward": 1.0, "step_time": 3.2, "epoch": 0.1},
        {"step": 1, "train_runtime": 9.9, "train_loss": 0.5},
    ]
    assert step_log(history) == [{"step": 1, "loss": 0.5, "reward": 1.0}]
