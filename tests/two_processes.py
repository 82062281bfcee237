"""What test_parallel.py runs in one process and in two: forked (`compare`), or by `accelerate launch` as a script.

In `compare` the completions are fixed, on whichever process a group is, so that numbers can be compared.
"""

import dataclasses
import itertools
import os
import sys
from pathlib import Path

import speaking_policy
import torch
from small_settings import GRPO
from torch.distributed.fsdp import fully_shard

from robotr1 import paths
from robotr1.policies.load import language_core
from robotr1.questions.prompts import completion_text
from robotr1.records import Question, read_records
from robotr1.training.grpo import trainer as rl
from robotr1.training.grpo.group_trainer import GroupTrainer
from robotr1.training.grpo.rollout import generate as rollout

SETTINGS = dataclasses.replace(GRPO, steps=3, updates_per_rollout=1, beta=0.0, max_completion_length=24)


def prescribe() -> None:
    """Completions that depend on question and slot only: a letter, sometimes without the form."""

    def generate(self, prompt_ids, images, fields, *rest):
        seen: dict[str, itertools.count] = {}
        ids = []
        for prompt in prompt_ids:
            slot = next(seen.setdefault(repr(prompt), itertools.count()))
            text = completion_text(speaking_policy.THOUGHT, "ABCD"[(slot * slot + len(prompt)) % 4])
            ids.append(
                [*self._tokenizer(text[: len(text) - 5 * (slot == 3)])["input_ids"], self._tokenizer.eos_token_id]
            )
        none = torch.zeros(len(ids), max(map(len, ids)))
        self._sampled = rollout.Completions(ids, none, none)
        return ids, None

    GroupTrainer._generate_single_turn = generate


def gradient(trainer, shard: bool) -> dict[str, torch.Tensor]:
    """The gradient of one update on the first four questions, of this process's share; `shard` shards the weights."""
    model, rank, world = trainer.model, trainer.accelerator.process_index, trainer.accelerator.num_processes
    if shard:
        core = language_core(model)
        for layer in core.language_model.layers:
            fully_shard(layer)
        fully_shard(model)
    rows = [trainer.train_dataset[i] for i in range(4) for _ in range(GRPO.num_generations)]
    share = len(rows) // world
    model.train()
    trainer.current_gradient_accumulation_steps = 1
    batch = trainer._generate_and_score_completions(rows[rank * share : (rank + 1) * share])
    trainer._compute_loss(model, batch).backward()
    found = {name: weights.grad for name, weights in model.named_parameters() if weights.requires_grad}
    return {name: one.full_tensor() if hasattr(one, "full_tensor") else one for name, one in found.items()}


def compare(rank: int, world: int, port: int, mode: str, base: Path, output: Path) -> None:
    """Process `rank` of `world`, found by the variables that a launcher sets; writes an adapter or a gradient."""
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    if world > 1:
        os.environ |= {name: str(value) for name, value in place.items()} | {"ACCELERATE_USE_CPU": "true"}
    questions = prepare(output)
    prescribe()
    settings = dataclasses.replace(SETTINGS, loss_type="dapo") if mode == "dapo" else SETTINGS
    if mode == "sharded":
        settings = dataclasses.replace(settings, speedups=["shared_processing", "shared_prompts"])
        trainer = rl.make_trainer(settings, questions, base, "sharded")
        found = gradient(trainer, shard=world > 1)
        if trainer.is_world_process_zero():
            torch.save(found, output / "gradient.pt")
        return
    rl.train(settings, questions, base, output / "adapter")


def prepare(output: Path) -> list[Question]:
    torch.set_num_threads(1)
    paths.CHECKPOINTS = output / "checkpoints"
    return read_records(output / "questions.jsonl", Question)


if __name__ == "__main__":  # the policy's own completions, everything as in a real run
    folder = Path(sys.argv[2])
    rl.train(dataclasses.replace(SETTINGS, steps=2), prepare(folder), sys.argv[1], folder / "adapter")
