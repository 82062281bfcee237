import warnings
from types import SimpleNamespace

import pytest

from robotr1.training.callbacks import RewardWatch, StopOnNonFinite, likely_cause


def show(watch, zero_std, steps, **metrics):
    for step in range(steps):
        logs = {"frac_reward_zero_std": zero_std} | {key.replace("__", "/"): value for key, value in metrics.items()}
        watch.on_log(None, SimpleNamespace(global_step=step), None, logs=logs)


def test_warns_once_after_steps_with_zero_std_groups_only():
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
    ("form", "accuracy", "truncated", "says"),
    [
        (1.0, 1.0, 0.0, "right already"),
        (0.0, 0.0, 0.0, "form"),
        (0.0, 0.0, 1.0, "max_completion_length"),
        (1.0, 0.0, 0.0, "ever right"),
        (1.0, 0.25, 0.0, "temperature"),
    ],
)
def test_the_likely_cause_fits_the_metrics(form, accuracy, truncated, says):
    assert says in likely_cause({"format": form, "accuracy": accuracy, "truncated": truncated})


def test_warns_where_only_the_form_is_learned():
    metrics = {"rewards__open_format_reward__mean": 0.5, "rewards__state_reward__mean": 0.0}
    watch = RewardWatch(patience=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        show(watch, 0.5, 2, **metrics)
        show(watch, 0.5, 1, **metrics | {"rewards__state_reward__mean": 0.1})
        show(watch, 0.5, 2, **metrics)
    with pytest.warns(UserWarning, match="only the form is learned. No answer is ever right"):
        show(watch, 0.5, 1, **metrics)


@pytest.mark.parametrize("name", ["loss", "grad_norm"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_run_stops_where_the_numbers_end(name, value):
    arguments, state = SimpleNamespace(learning_rate=0.1), SimpleNamespace(global_step=7)
    StopOnNonFinite().on_log(arguments, state, None, logs={"loss": 0.0, "grad_norm": 1.0, "train_runtime": 3.0})
    with pytest.raises(ValueError, match=rf"step 7: the {name} is -?(nan|inf). Lower learning_rate \(now 0.1\)"):
        StopOnNonFinite().on_log(arguments, state, None, logs={"loss": 0.0, name: value})
