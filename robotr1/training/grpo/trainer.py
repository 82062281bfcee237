"""Robot-R1's reinforcement learning (paper §3.3 and §4.1) with TRL and LoRA: GRPO, RLOO, REINFORCE++.

The policy samples a group of completions for each question, and rules score them (right form, right letter).
Completions better than their group's mean become more likely, worse ones less likely.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from trl.trainer.base_trainer import _BaseTrainer

from robotr1 import paths
from robotr1.policies.inputs.image_cache import encode_images_once, prepare_images_once
from robotr1.policies.load import language_core
from robotr1.policies.processor import load_processor
from robotr1.settings import TrainGrpo
from robotr1.training import parallel, preflight, runs
from robotr1.training.callbacks import RewardWatch
from robotr1.training.checkpoints import fingerprint
from robotr1.training.curves import curve_callbacks
from robotr1.training.grpo.algorithms import TRAINERS
from robotr1.training.grpo.config import rl_config
from robotr1.training.grpo.group_trainer import GroupTrainer
from robotr1.training.grpo.inputs import RlQuestion, check_questions, question_dataset
from robotr1.training.grpo.start import load_start, start_folder
from robotr1.training.log import step_log
from robotr1.training.memory import torch_threads
from robotr1.training.rewards import reward_weights


def make_trainer(settings: TrainGrpo, questions: Sequence[RlQuestion], base: str | Path, name: str) -> _BaseTrainer:
    """The trainer of `settings.algorithm` on a freshly loaded base, with a fresh LoRA adapter or that of the start."""
    callbacks = [RewardWatch(), *curve_callbacks(settings.report_to, paths.CHECKPOINTS / name)]
    processor = load_processor(base)
    check_questions(settings, questions, processor)
    model, lora = load_start(settings, base)
    trainer = TRAINERS[settings.algorithm](
        model=model,
        reward_funcs=list(reward_weights(settings)),
        args=rl_config(settings, name),
        train_dataset=question_dataset(settings.form, questions),
        processing_class=processor,
        peft_config=lora,
        callbacks=callbacks,
    )
    return speed_up(trainer, settings)


def speed_up(trainer: GroupTrainer, settings: TrainGrpo) -> GroupTrainer:
    """The trainer with the speed-ups of `settings`."""
    trainer.speedups = parallel.valid_speedups(settings.speedups, settings.quantization, trainer.accelerator)
    trainer.rollout_batch, trainer.dense_rollout = settings.rollout_batch, settings.dense_rollout
    return trainer


@contextmanager
def image_cache(trainer: _BaseTrainer) -> Iterator[None]:
    """Within the context, each image is prepared and encoded once in the whole run.

    Raises ValueError where the vision tower is being trained.
    """
    core = language_core(trainer.model)
    if core is not None and any(weight.requires_grad for weight in core.visual.parameters()):
        raise ValueError(
            "speedups: image_cache keeps image features, but the vision tower is being trained; leave it out."
        )
    with encode_images_once(trainer.model), prepare_images_once(trainer.processing_class):
        yield


def train(
    settings: TrainGrpo,
    questions: Sequence[RlQuestion],
    base: str | Path = paths.MODELS / "base",
    output: Path | None = None,
) -> list[dict[str, Any]]:
    """Train `base` with RL on `questions` and save the adapter in `output`; return the log, one entry per step.

    Each entry has reward, format, accuracy (also by question type), length in tokens, truncated, entropy, kl (with
    beta > 0) and zero_std, the share of groups whose rewards are all equal. `accuracy` is the mean content reward: for
    open states and plans a value between 0 and 1. Resumes from the last checkpoint of the same run if there is one.
    Raises PolicyError for an unusable base or start and ValueError for too few or unfit questions.
    """
    needed = settings.prompts_per_step * settings.updates_per_rollout
    if len(questions) < needed:
        raise ValueError(f"{len(questions)} questions are too few for rollouts of {needed}; lower prompts_per_step.")
    output = output or paths.MODELS / f"{settings.algorithm}-seed{settings.seed}"
    with torch_threads(settings.threads):
        trainer = make_trainer(settings, questions, base, output.name)
        preflight.check(trainer.model, trainer.processing_class, questions, base)
        with image_cache(trainer) if "image_cache" in trainer.speedups else nullcontext():
            runs.run(trainer, fingerprint(settings, questions, base, start_folder(settings)))
        log = step_log(trainer.state.log_history)
        runs.save(trainer, base, output, log, settings)
    return log
