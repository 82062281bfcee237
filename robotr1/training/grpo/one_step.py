"""One GRPO update of the study's own trainer, laid open so that it can be done again by hand (paper §3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import torch
from transformers import ProcessorMixin

from robotr1 import paths
from robotr1.policies.inputs import ImagePrompt, batch_inputs
from robotr1.settings import TrainGrpo
from robotr1.training.grpo.trainer import make_trainer

ALONE = {
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
    """What the trainer made of G answers to one question, and the model that it would have updated.

    `tokens` are the ids of each answer with its end; `gradient` holds one tensor for each trained weight, by name.
    """

    tokens: list[list[int]]
    rewards: list[float]
    advantages: list[float]
    loss: float
    gradient: dict[str, torch.Tensor]
    model: torch.nn.Module
    processor: ProcessorMixin


def trainer_step(
    settings: TrainGrpo, question: ImagePrompt, completions: Sequence[str], base: str | Path = paths.MODELS / "base"
) -> OneStep:
    """Let the GRPO trainer mark `completions` (G texts, all to `question`) and compute loss and gradient.

    The trainer does all that it does in a run but write and update: its rewards, advantages, speed-ups and loss. What
    `settings` says otherwise about these holds, but the loss is always the paper's, without its KL term.
    Raises what `make_trainer` raises.
    """
    trainer = make_trainer(replace(settings, num_generations=len(completions), **ALONE), [question], base, "one-step")
    tokens = answer_tokens(trainer.processing_class, completions, settings.max_completion_length)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    with mock.patch.object(trainer, "_generate_single_turn", return_value=(tokens, None)):
        batch = trainer._generate_and_score_completions([trainer.train_dataset[0] for _ in completions])
    loss = trainer._compute_loss(trainer.model, batch)
    loss.backward()
    parts = zip(*trainer._logs["rewards"].values(), strict=True)
    rewards = [sum(w * part for w, part in zip(trainer.args.reward_weights, row, strict=True)) for row in parts]
    gradient = gradient_of(trainer.model)
    trainer.model.zero_grad()
    advantages = batch["advantages"].tolist()
    return OneStep(tokens, rewards, advantages, loss.item(), gradient, trainer.model, trainer.processing_class)


def answer_tokens(processor: ProcessorMixin, completions: Sequence[str], longest: int) -> list[list[int]]:
    """Token ids of each answer, with the end of its turn where that fits into `longest`, as a policy writes them."""
    end = processor.tokenizer.eos_token_id
    return [[*ids, end][:longest] for ids in processor.tokenizer(list(completions))["input_ids"]]


def gradient_of(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the gradient of every trained weight."""
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def gradient_norm(gradient: dict[str, torch.Tensor]) -> float:
    """The length of the gradient, over all weights together."""
    return float(torch.stack([part.double().norm() for part in gradient.values()]).norm())


def token_log_probabilities(
    model: torch.nn.Module,
    processor: ProcessorMixin,
    question: ImagePrompt,
    tokens: Sequence[int],
    temperature: float = 1.0,
) -> torch.Tensor:
    """log p of each token of one answer, given image, question and the tokens before it: [len(tokens)], with gradient.

    Read in the plainest way, one row and no padding, to be compared with what a trainer computes in batches.
    """
    inputs = batch_inputs(processor, [question]).to(model.device)
    answer = torch.tensor([list(tokens)], device=model.device)
    length = answer.shape[1]
    for name, value in (("input_ids", answer), ("attention_mask", 1), ("mm_token_type_ids", 0)):
        if name in inputs:
            more = torch.zeros_like(answer) + value if isinstance(value, int) else value
            inputs[name] = torch.cat([inputs[name], more], dim=1)
    logits = model(**inputs).logits[0, -length - 1 : -1]  # [length,vocabulary]; each predicts the token after it
    return (logits.float() / temperature).log_softmax(-1).gather(1, answer.T)[:, 0]
