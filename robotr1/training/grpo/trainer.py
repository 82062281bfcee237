"""Robot-R1's reinforcement learning (paper §3.3 and §4.1) with TRL and LoRA: GRPO, RLOO, REINFORCE++.

For each question the policy writes a group of answers; a rule scores them (right form, right letter); answers better
than their group's mean become likelier, worse ones less likely. TRL's defaults differ from the paper's trainer in
places, so every choice is stated here. What is asked, and what a run starts from, is in `regime`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from transformers import ProcessorMixin
from trl import GRPOConfig, RLOOConfig
from trl.trainer.base_trainer import _BaseTrainer

from robotr1 import paths
from robotr1.policies.architecture import language_core
from robotr1.policies.generate import complete
from robotr1.policies.image_cache import encode_images_once, prepare_images_once
from robotr1.policies.processor import load_processor
from robotr1.settings import TrainGrpo
from robotr1.training import parallel, preflight, runs
from robotr1.training.callbacks import RewardWatch, step_log
from robotr1.training.curves import reporting
from robotr1.training.grpo.algorithms import TRAINERS
from robotr1.training.grpo.group_trainer import GroupedTrainer
from robotr1.training.grpo.inputs import FORMS, Asked, asked_dataset, check_questions, load_start, start_folder
from robotr1.training.rewards import REWARDS, consistency_reward


def rewards(settings: TrainGrpo) -> dict[Callable[..., list[float]], float]:
    """What completions earn something for, with its weight: their form, what they say, and, where asked for, that
    thought and letter agree."""
    form, says = REWARDS[settings.form]
    weights = {form: settings.format_weight, says: settings.accuracy_weight}
    return weights | ({consistency_reward: settings.consistency_weight} if settings.consistency_weight else {})


def rl_arguments(settings: TrainGrpo, name: str) -> dict[str, Any]:
    """The arguments of TRL's configuration, with every choice stated.

    `use_bias_correction_kl` is off because GRPO's KL term has no importance ratio; the KL is the low-variance
    estimate "k3" (EasyR1's low_var_kl). RLOO has its KL inside the reward and no scaling of rewards by construction.
    All completions of a rollout are written before its first update, however many micro-batches learn from them.
    Raises ValueError where micro-batches and groups do not fit together.
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
        "reward_weights": list(rewards(settings).values()),
        "beta": settings.beta,
        "epsilon": settings.epsilon,
        "epsilon_high": settings.epsilon_high,
        "mask_truncated_completions": False,
        "disable_dropout": False,
        "lr_scheduler_type": "constant_with_warmup",
        # a checkpoint within a rollout would lose the completions that are still to be learned from
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


def make_trainer(settings: TrainGrpo, questions: Sequence[Asked], base: str | Path, name: str) -> _BaseTrainer:
    """The trainer of `settings.algorithm` on a freshly loaded base, with a fresh LoRA adapter or that of the start."""
    callbacks = [RewardWatch(), *reporting(settings.report_to, paths.CHECKPOINTS / name)]
    processor = load_processor(base)
    check_questions(settings, questions, processor)
    model, lora = load_start(settings, base)
    trainer = TRAINERS[settings.algorithm](
        model=model,
        reward_funcs=list(rewards(settings)),
        args=rl_config(settings, name),
        train_dataset=asked_dataset(settings.form, questions),
        processing_class=processor,
        peft_config=lora,
        callbacks=callbacks,
    )
    return speed_up(trainer, settings)


def speed_up(trainer: GroupedTrainer, settings: TrainGrpo) -> GroupedTrainer:
    """The trainer with the speed-ups of `settings`."""
    trainer.speedups = parallel.sound_speedups(settings.speedups, settings.quantization, trainer.accelerator)
    trainer.rollout_batch, trainer.dense_rollout = settings.rollout_batch, settings.dense_rollout
    return trainer


@contextmanager
def image_cache(trainer: _BaseTrainer) -> Iterator[None]:
    """Within the context, each image is prepared and encoded once in the whole run; the vision tower must be frozen."""
    core = language_core(trainer.model)
    if core is not None and any(weight.requires_grad for weight in core.visual.parameters()):
        raise ValueError("speedups: image_cache keeps image features, but the vision tower is being trained.")
    with encode_images_once(trainer.model), prepare_images_once(trainer.processing_class):
        yield


def train(
    settings: TrainGrpo,
    questions: Sequence[Asked],
    base: str | Path = paths.MODELS / "base",
    output: Path | None = None,
) -> list[dict[str, Any]]:
    """Train `base` by reinforcement on `questions` and save the adapter in `output`; return the log, one entry a step.

    Each entry has reward, format, accuracy (also by question type), length in tokens, cut_off, entropy, kl (with
    beta > 0) and zero_spread, the share of groups whose rewards are all the same; accuracy is what the answer earned,
    for open states and plans a number in between. Goes on from the last checkpoint of the same run where there is one.
    Raises PolicyError for an unusable base or start and ValueError for questions that are too few or do not fit.
    """
    needed = settings.prompts_per_step * settings.updates_per_rollout
    if len(questions) < needed:
        raise ValueError(f"{len(questions)} questions are too few for rollouts of {needed}; lower prompts_per_step.")
    output = output or paths.MODELS / f"{settings.algorithm}-seed{settings.seed}"
    with runs.torch_threads(settings.threads):
        trainer = make_trainer(settings, questions, base, output.name)
        preflight.check(trainer.model, trainer.processing_class, questions)
        with image_cache(trainer) if "image_cache" in trainer.speedups else nullcontext():
            runs.run(trainer, runs.fingerprint(settings, questions, base, start_folder(settings)))
        log = step_log(trainer.state.log_history)
        runs.save(trainer, base, output, log, settings)
    return log


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


def sample_groups(
    model: torch.nn.Module, processor: ProcessorMixin, questions: Sequence[Asked], settings: TrainGrpo
) -> list[list[dict[str, Any]]]:
    """One group a question as training sees it: completions with what they earn (`earned`), reward and advantage."""
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
    parts = earned(settings, repeated, completions)
    weights = rewards(settings).values()
    total = [sum(weight * part for weight, part in zip(weights, row, strict=True)) for row in zip(*parts, strict=True)]
    advantages = group_advantages(total, settings.num_generations, settings.scale_rewards)
    names = ("completion", *("format", "accuracy", "consistency")[: len(parts)], "reward", "advantage")
    members = [dict(zip(names, row, strict=True)) for row in zip(completions, *parts, total, advantages, strict=True)]
    return [members[i : i + settings.num_generations] for i in range(0, len(members), settings.num_generations)]


def earned(settings: TrainGrpo, questions: Sequence[Asked], completions: Sequence[str]) -> tuple[list[float], ...]:
    """What completions earn for each of `rewards(settings)`, unweighted: their form, what they say, consistency."""
    columns = {name: [getattr(question, name) for question in questions] for name in FORMS[settings.form].columns}
    return tuple(reward(completions, **columns) for reward in rewards(settings))
