"""Rule-based rewards with TRL's signature: `reward(completions, **columns) -> list[float]`.

One module for each question form. `completions` holds plain strings or TRL's message lists. `columns` are the data
set's columns, one value per completion; each docstring names those that it reads. Every reward lies in [0, 1] and
never raises on what a model may write, however long.
"""

from collections.abc import Callable

from robotr1.settings import TrainGrpo
from robotr1.training.rewards.boxes import box_format_reward, box_reward
from robotr1.training.rewards.multiple_choice import accuracy_reward, consistency_reward, format_reward
from robotr1.training.rewards.paths import path_format_reward, path_reward
from robotr1.training.rewards.plans import plan_format_reward, plan_order_reward
from robotr1.training.rewards.points import point_format_reward, point_reward
from robotr1.training.rewards.progress import progress_format_reward, progress_reward
from robotr1.training.rewards.states import open_format_reward, state_reward

__all__ = [
    "accuracy_reward",
    "box_format_reward",
    "box_reward",
    "consistency_reward",
    "format_reward",
    "open_format_reward",
    "path_format_reward",
    "path_reward",
    "plan_format_reward",
    "plan_order_reward",
    "point_format_reward",
    "point_reward",
    "progress_format_reward",
    "progress_reward",
    "state_reward",
]

Reward = Callable[..., list[float]]

# What `format_weight` and `accuracy_weight` of train_grpo weigh, for each `form`.
REWARDS: dict[str, tuple[Reward, Reward]] = {
    "mcqa": (format_reward, accuracy_reward),
    "open": (open_format_reward, state_reward),
    "planning": (plan_format_reward, plan_order_reward),
}


def reward_weights(settings: TrainGrpo) -> dict[Reward, float]:
    """The reward functions of a run, each with its weight: format, content and, with a weight above 0, consistency."""
    form, content = REWARDS[settings.form]
    weights = {form: settings.format_weight, content: settings.accuracy_weight}
    if settings.consistency_weight:
        weights[consistency_reward] = settings.consistency_weight
    return weights
