"""TRL's configuration of an RL run, with every choice stated: TRL's defaults differ from the paper's trainer."""

from typing import Any

from trl import GRPOConfig, RLOOConfig

from robotr1.settings import TrainGrpo
from robotr1.training import runs
from robotr1.training.rewards import reward_weights


def rl_arguments(settings: TrainGrpo, name: str) -> dict[str, Any]:
    """The arguments of TRL's configuration.

    `use_bias_correction_kl` is off because GRPO's KL term has no importance ratio; the KL is the low-variance
    estimate "k3" (EasyR1's low_var_kl). RLOO subtracts its KL from the reward and does not scale rewards. All
    completions of a rollout are sampled before its first update, however many micro-batches it has.
    Raises ValueError where micro-batches do not hold whole groups.
    """
    size, accumulation = runs.micro_batches(settings.prompts_per_step * settings.num_generations, settings.micro_batch)
    if size % settings.num_generations:
        raise ValueError(f"micro_batch: {size} completions do not hold whole groups of {settings.num_generations}.")
    rollout = settings.updates_per_rollout * settings.num_iterations
    shared = {
        **runs.common_arguments(settings, name),
        "per_device_train_batch_size": size,
        "gradient_accumulation_steps": accumulation,
        "steps_per_generation": accumulation * settings.updates_per_rollout,
        "num_iterations": settings.num_iterations,
        "num_generations": settings.num_generations,
        "max_completion_length": settings.max_completion_length,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": 0,
        "min_p": None,
        "repetition_penalty": 1.0,
        "reward_weights": list(reward_weights(settings).values()),
        "beta": settings.beta,
        "epsilon": settings.epsilon,
        "epsilon_high": settings.epsilon_high,
        "mask_truncated_completions": False,
        "disable_dropout": False,
        "lr_scheduler_type": "constant_with_warmup",
        # a checkpoint within a rollout would lose the completions that are still to be trained on
        "save_steps": -(-settings.save_steps // rollout) * rollout,
        "shuffle_dataset": True,
        "log_completions": False,
    }
    if settings.algorithm == "rloo":
        return {**shared, "normalize_advantages": False, "reward_clip_range": None}
    return {
        **shared,
        "loss_type": settings.loss_type,
        "scale_rewards": settings.scale_rewards,
        "multi_objective_aggregation": "sum_then_normalize",
        "importance_sampling_level": "token",
        "use_bias_correction_kl": False,
        "delta": None,
        "top_entropy_quantile": 1.0,
        "entropy_coef": 0.0,
    }


def rl_config(settings: TrainGrpo, name: str) -> GRPOConfig | RLOOConfig:
    """TRL's configuration for `settings`; checkpoints go to checkpoints/<name>."""
    return (RLOOConfig if settings.algorithm == "rloo" else GRPOConfig)(**rl_arguments(settings, name))
