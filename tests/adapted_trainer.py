"""A trainer whose adapter is not zero, so that it changes what the model says, and questions for it."""

import dataclasses

import torch

from robotr1.training.grpo import trainer as rl


def adapted_trainer(settings, questions, base, name, spread):
    """`rl.make_trainer` with the second half of each adapter drawn with this standard deviation, always the same."""
    trainer = rl.make_trainer(settings, questions, base, name)
    trainer.model.train()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter, weights in trainer.model.named_parameters():
            if "lora_B" in parameter:
                weights.copy_(spread * torch.randn(weights.shape, generator=generator))
    return trainer


def of_three_lengths(questions):
    """The questions with prompts of different lengths."""
    return [dataclasses.replace(q, prompt=q.prompt + "\nTask left." * (i % 3)) for i, q in enumerate(questions)]
