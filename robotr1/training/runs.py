"""What SFT and RL runs share: the data set, the trainer's arguments, resuming, and saving the adapter.

A stopped run (Ctrl-C, power cut) resumes from its newest checkpoint when it is started again, but only if settings,
questions and base are the same (`checkpoints.fingerprint`).
"""

import dataclasses
import errno
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from safetensors import SafetensorError
from transformers import PrinterCallback, ProgressCallback, Trainer
from transformers.trainer_utils import get_last_checkpoint

from robotr1 import paths
from robotr1.policies.adapters import BASE_FILE
from robotr1.policies.folders import digest, resolve
from robotr1.policies.inputs.images import load_image
from robotr1.training.callbacks import NoLastCheckpoint, Progress, StopOnNonFinite
from robotr1.training.checkpoints import WriteManifest, last_checkpoint, remove_checkpoints, remove_incomplete
from robotr1.training.log import write_log
from robotr1.training.memory import is_out_of_memory, memory_advice
from robotr1.training.parallel import full_state_dict


def with_images(rows: Sequence[dict[str, Any]]) -> Dataset:
    """A `datasets.Dataset` whose column `image` holds paths on disk and RGB images when a row is read."""
    dataset = Dataset.from_list(list(rows))
    return dataset.with_transform(lambda batch: {**batch, "image": [load_image(path) for path in batch["image"]]})


def micro_batches(examples: int, micro_batch: int) -> tuple[int, int]:
    """Examples in one forward pass, and passes in one optimiser step; `micro_batch` 0 means all examples at once.

    With several processes (`accelerate launch`) each takes its share. Raises ValueError where the examples do not
    divide.
    """
    processes = int(os.environ.get("WORLD_SIZE", 1))
    size = micro_batch or examples // processes
    if size == 0 or examples % (size * processes):
        raise ValueError(
            f"micro_batch: {examples} examples a step do not divide into micro-batches of {micro_batch or 'all'} on "
            f"{processes} process(es); choose a divisor of {examples // processes or examples}."
        )
    return size, examples // (size * processes)


def common_arguments(settings: Any, name: str) -> dict[str, Any]:
    """`TrainingArguments` that SFT and RL share, each stated so that no library default decides."""
    cuda = torch.cuda.is_available()
    return {
        "output_dir": str(paths.CHECKPOINTS / name),
        "max_steps": settings.steps,
        "learning_rate": settings.learning_rate,
        "warmup_steps": settings.warmup_steps,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "optim": "adamw_torch",
        "adam_beta1": 0.9,
        "adam_beta2": 0.999,
        "adam_epsilon": 1e-8,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "use_cpu": not cuda,
        "bf16": cuda,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": cuda,
        "remove_unused_columns": False,
        "logging_steps": 1,
        "logging_first_step": False,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_total_limit": 2,
        "disable_tqdm": True,
        "report_to": "none",
    }


def run(trainer: Trainer, mark: str) -> None:
    """Train to the end, from the last complete checkpoint of the run with fingerprint `mark` if there is one.

    Raises OSError where a checkpoint cannot be written, for example on a full disk; earlier checkpoints stay.
    Raises MemoryError, with the settings to lower, where memory runs out. Raises ValueError where the loss or the
    gradient is not finite.
    """
    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    for callback in (StopOnNonFinite(), NoLastCheckpoint(), WriteManifest(trainer.accelerator)):
        trainer.add_callback(callback)
    folder = Path(trainer.args.output_dir)
    first = trainer.is_world_process_zero()
    if first:
        trainer.add_callback(Progress(folder / "seconds.jsonl"))
    with trainer.accelerator.main_process_first():
        checkpoint = last_checkpoint(folder, mark)
    if checkpoint and first:
        print(f"resuming from {paths.relative(checkpoint)}")
    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    except KeyboardInterrupt:
        saved = get_last_checkpoint(str(folder))
        next_run = f"resumes from {paths.relative(saved)}" if saved else "starts from the beginning"
        print(f"stopped at step {trainer.state.global_step}; the next run {next_run}", file=sys.stderr)
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryError(
                f"out of memory ({str(error).partition(chr(10))[0]}). {memory_advice(trainer.args)}"
            ) from error
        incomplete = remove_incomplete(folder) if first else []
        if not incomplete and getattr(error, "errno", None) not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            f"{paths.relative(incomplete[0] if incomplete else folder)} could not be written ({error}). Fix: free some "
            "space on its disk and run again; training resumes from the checkpoint before it, if there is one."
        ) from error


def save(trainer: Trainer, base: str | Path, output: Path, log: list[dict[str, Any]], settings: Any) -> None:
    """Write adapter, log and settings to `output` as one finished folder, then remove the checkpoints.

    The adapter names its base relative to the project root, so that the folder works in another checkout.
    Raises OSError where it cannot be written; then the checkpoints stay, and no part of `output`.
    """
    weights = full_state_dict(trainer)
    if not trainer.is_world_process_zero():
        return
    model: PeftModel = trainer.accelerator.unwrap_model(trainer.model)
    model.peft_config["default"].base_model_name_or_path = paths.relative(base)
    remove_interrupted_saves(output)
    try:
        with paths.atomic_folder(output) as folder:
            model.save_pretrained(  # with embedding layers it would look for the base on the hub
                folder, state_dict=weights, save_embedding_layers=False, selected_adapters=["default"]
            )
            (folder / "README.md").unlink(missing_ok=True)  # an empty model card with this machine's paths
            paths.write_json(folder / BASE_FILE, {"name": paths.relative(base), "sha256": digest(resolve(base))})
            write_log(folder / "log.jsonl", log)
            paths.write_json(folder / "settings.json", dataclasses.asdict(settings))
    except SafetensorError as error:  # how safetensors reports a full disk
        raise OSError(
            f"{paths.relative(output)} could not be written ({error}). Fix: free some space on its disk and run again; "
            "training resumes from its last checkpoint."
        ) from error
    remove_checkpoints(Path(trainer.args.output_dir))


def remove_interrupted_saves(output: Path) -> None:
    """Remove the temporary folders of earlier saves of `output` that were killed."""
    for path in output.parent.glob(f".{output.name}.*"):
        if path.suffix in (".part", ".old"):
            shutil.rmtree(path)
