"""Groups of completions as training sees them: sampled, scored, with advantages."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import ProcessorMixin

from robotr1.policies.generate import complete
from robotr1.settings import TrainGrpo
from robotr1.training.grpo.inputs import FORMS, RlQuestion
from robotr1.training.rewards import reward_weights


def group_advantages(rewards: Sequence[float], num_generations: int, scale: str = "group") -> list[float]:
    """GRPO's advantages: reward minus the group's mean, over the group's standard deviation (paper §3.3, eq. of GRPO).

    `rewards` holds whole groups one after the other. `scale` is "group", "batch" or "none".
    """
    groups = torch.tensor(rewards, dtype=torch.float64).view(-1, num_generations)
    centred = groups - groups.mean(dim=1, keepdim=True)
    if scale == "group":
        centred = centred / (groups.std(dim=1, keepdim=True) + 1e-4)
    elif scale == "batch":
        centred = centred / (groups.std() + 1e-4)
    return centred.flatten().tolist()


def score_completions(
    settings: TrainGrpo, questions: Sequence[RlQuestion], completions: Sequence[str]
) -> tuple[list[float], ...]:
    """The unweighted rewards of `completions`, one list per function of `reward_weights(settings)`: format, content
    and, with `consistency_weight`, consistency."""
    columns = {name: [getattr(question, name) for question in questions] for name in FORMS[settings.form].columns}
    return tuple(reward(completions, **columns) for reward in reward_weights(settings))


def sample_groups(
    model: torch.nn.Module, processor: ProcessorMixin, questions: Sequence[RlQuestion], settings: TrainGrpo
) -> list[list[dict[str, Any]]]:
    """One group per question: each completion with its unweighted rewards, its total reward and its advantage."""
    repeated = [question for question in questions for _ in range(settings.num_generations)]
    completions = complete(
        model,
        processor,
        repeated,
        batch_size=settings.prompts_per_step * settings.num_generations,
        max_completion_length=settings.max_completion_length,
        temperature=settings.temperature,
        seed=settings.seed,
    )
    parts = score_completions(settings, repeated, completions)
    functions, weights = zip(*reward_weights(settings).items(), strict=True)
    total = [sum(weight * part for weight, part in zip(weights, row, strict=True)) for row in zip(*parts, strict=True)]
    advantages = group_advantages(total, settings.num_generations, settings.scale_rewards)
    further = (function.__name__.removesuffix("_reward") for function in functions[2:])
    names = ("completion", "format", "accuracy", *further, "reward", "advantage")
    members = [dict(zip(names, row, strict=True)) for row in zip(completions, *parts, total, advantages, strict=True)]
    return [members[i : i + settings.num_generations] for i in range(0, len(members), settings.num_generations)]
