"""One GRPO update of the study's own trainer with all its parts, so that it can be repeated by hand (paper §3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import ProcessorMixin

from robotr1 import paths
from robotr1.policies.inputs.prompts import batch_inputs
from robotr1.settings import TrainGrpo
from robotr1.training.grpo.inputs import RlQuestion
from robotr1.training.grpo.trainer import make_trainer

ONE_GROUP = {
    "algorithm": "grpo",
    "loss_type": "grpo",
    "scale_rewards": "group",
    "beta": 0.0,
    "prompts_per_step": 1,
    "micro_batch": 0,
    "updates_per_rollout": 1,
    "num_iterations": 1,
}


@dataclass(frozen=True)
class OneStep:
    """What the trainer computed from G completions of one question, and the model it would have updated.

    `tokens` are the ids of each completion with its end; `gradient` holds one tensor per trained weight, by name.
    """

    tokens: list[list[int]]
    rewards: list[float]
    advantages: list[float]
    loss: float
    gradient: dict[str, torch.Tensor]
    model: torch.nn.Module
    processor: ProcessorMixin


def trainer_step(
    settings: TrainGrpo, question: RlQuestion, completions: Sequence[str], base: str | Path = paths.MODELS / "base"
) -> OneStep:
    """Let the GRPO trainer score `completions` (G texts, all for `question`) and compute loss and gradient.

    The trainer does everything a run does except sampling and the update: its rewards, advantages, speed-ups and loss.
    `settings` decides about these, but the loss is always the paper's, without its KL term.
    Raises what `make_trainer` raises.
    """
    settings = replace(settings, num_generations=len(completions), **ONE_GROUP)
    trainer = make_trainer(settings, [question], base, "one-step")
    tokens = completion_tokens(trainer.processing_class, completions, settings.max_completion_length)
    trainer._generate_single_turn = lambda *arguments: (tokens, None)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    batch = trainer._generate_and_score_completions([trainer.train_dataset[0] for _ in completions])
    loss = trainer._compute_loss(trainer.model, batch)
    loss.backward()
    parts = zip(*trainer._logs["rewards"].values(), strict=True)
    rewards = [sum(w * part for w, part in zip(trainer.args.reward_weights, row, strict=True)) for row in parts]
    gradient = gradient_of(trainer.model)
    trainer.model.zero_grad()
    advantages = batch["advantages"].tolist()
    return OneStep(tokens, rewards, advantages, loss.item(), gradient, trainer.model, trainer.processing_class)


def completion_tokens(processor: ProcessorMixin, completions: Sequence[str], longest: int) -> list[list[int]]:
    """Token ids of each completion, with the end of its turn where that fits into `longest` tokens."""
    end = processor.tokenizer.eos_token_id
    return [[*ids, end][:longest] for ids in processor.tokenizer(list(completions))["input_ids"]]


def gradient_of(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the gradient of every trained weight."""
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def gradient_norm(gradient: dict[str, torch.Tensor]) -> float:
    """The norm of the gradient over all weights together."""
    return float(torch.stack([part.double().norm() for part in gradient.values()]).norm())


def token_log_probabilities(
    model: torch.nn.Module,
    processor: ProcessorMixin,
    question: RlQuestion,
    tokens: Sequence[int],
    temperature: float = 1.0,
) -> torch.Tensor:
    """log p of each token of one completion, given image, prompt and earlier tokens: [len(tokens)], with gradient.

    Computed in the plainest way, one row and no padding, to compare with a trainer's batches.
    """
    inputs = batch_inputs(processor, [question]).to(model.device)
    completion = torch.tensor([list(tokens)], device=model.device)
    length = completion.shape[1]
    for name, value in (("input_ids", completion), ("attention_mask", 1), ("mm_token_type_ids", 0)):
        if name in inputs:
            more = torch.zeros_like(completion) + value if isinstance(value, int) else value
            inputs[name] = torch.cat([inputs[name], more], dim=1)
    logits = model(**inputs).logits[0, -length - 1 : -1]  # [length,vocabulary]; each predicts the token after it
    return (logits.float() / temperature).log_softmax(-1).gather(1, completion.T)[:, 0]
