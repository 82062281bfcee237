"""What every training run shares: its data set, its checkpoints, its log, its saved adapter.

A run that stops (Ctrl-C, power cut) goes on from its newest checkpoint when it is started again, but only if
settings, questions and base are still the same: a fingerprint of them lies beside the checkpoints.
"""

import ctypes
import dataclasses
import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from robotr1 import paths
from robotr1.policies.adapters import BASE_FILE
from robotr1.policies.folders import digest, resolve
from robotr1.policies.images import load_image
from robotr1.records import read_objects
from robotr1.training import parallel
from robotr1.training.callbacks import NoLastCheckpoint, Progress, round_floats

DIGESTED_BYTES = 64 << 20  # larger files count by size only


def with_images(rows: Sequence[dict[str, Any]]) -> Dataset:
    """A `datasets.Dataset` whose column `image` holds paths on disk and RGB images when a row is read."""
    dataset = Dataset.from_list(list(rows))
    return dataset.with_transform(lambda batch: {**batch, "image": [load_image(path) for path in batch["image"]]})


def micro_batches(examples: int, micro_batch: int) -> tuple[int, int]:
    """Examples in one forward pass and how many passes make one optimiser step; `micro_batch` 0 means all at once.

    With several processes (`accelerate launch`) each takes its share. Raises ValueError where it does not divide.
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
        "save_strategy": "steps",
        "save_total_limit": 2,
        "disable_tqdm": True,
        "report_to": "none",
    }


def fingerprint(settings: Any, rows: Sequence[Any], base: str | Path, start: Path | None = None) -> str:
    """Digest of everything that a run depends on: settings, examples, the files of the base and of its start."""
    content = hashlib.sha256(json.dumps(dataclasses.asdict(settings), sort_keys=True).encode())
    content.update(os.environ.get("WORLD_SIZE", "1").encode())  # processes: each has random numbers of its own
    for row in rows:
        content.update(json.dumps(dataclasses.asdict(row), sort_keys=True).encode())
    files = sorted(Path(base).glob("*")) if Path(base).is_dir() else []
    for file in [*files, *(sorted(start.glob("*")) if start else [])]:
        content.update(f"{file.name} {file.stat().st_size}".encode())
        if file.is_file() and file.stat().st_size <= DIGESTED_BYTES:
            content.update(file.read_bytes())
    return content.hexdigest() if files else hashlib.sha256(content.digest() + str(base).encode()).hexdigest()


def last_checkpoint(folder: Path, mark: str) -> str | None:
    """The newest checkpoint to go on from. Checkpoints of other settings, questions or base are removed."""
    marker = folder / "fingerprint"
    if folder.is_dir() and not (marker.is_file() and marker.read_text() == mark):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(mark)
    for checkpoint in cut_off(folder):
        shutil.rmtree(checkpoint)
    return get_last_checkpoint(str(folder))


def cut_off(folder: Path) -> list[Path]:
    """Checkpoints that were not written to the end: they lack a readable `trainer_state.json`, which comes last."""
    return [path for path in folder.glob("checkpoint-*") if not _is_json(path / "trainer_state.json")]


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def keep_memory() -> None:
    """Tell glibc to keep freed memory for the next step instead of handing it back to the system.

    Large tensors otherwise fault in afresh at every allocation: measured on a two-core virtual machine, a GRPO step
    of the tiny policy fell from 6.1 to 4.2 CPU seconds. Does nothing where the C library is another one.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use `threads` cores within the context, and keep the memory that it frees."""
    keep_memory()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run(trainer: Trainer, mark: str) -> None:
    """Train to the end, from the last checkpoint where there is one that fits `mark`.

    Raises OSError where a checkpoint could not be written, for example on a full disk; the one before stays good.
    Raises MemoryError, with what to turn down, where memory does not suffice.
    """
    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    trainer.add_callback(NoLastCheckpoint())
    folder = Path(trainer.args.output_dir)
    first = trainer.is_world_process_zero()
    if first:
        trainer.add_callback(Progress(folder / "seconds.jsonl"))
    with trainer.accelerator.main_process_first():
        checkpoint = last_checkpoint(folder, mark)
    if checkpoint and first:
        print(f"going on from {paths.relative(checkpoint)}")
    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    except KeyboardInterrupt:
        saved = get_last_checkpoint(str(folder))
        after = f"goes on from {paths.relative(saved)}" if saved else "starts anew"
        print(f"stopped at step {trainer.state.global_step}; run again, this stage {after}", file=sys.stderr)
        raise
    except Exception as error:
        if out_of_memory(error):
            raise MemoryError(
                f"out of memory ({str(error).partition(chr(10))[0]}). {spare_memory(trainer.args)}"
            ) from error
        if not first or not (unwritten := cut_off(folder)):
            raise
        for checkpoint in unwritten:
            shutil.rmtree(checkpoint)
        raise OSError(
            f"{paths.relative(unwritten[0])} could not be written ({error}). Fix: free some space on its disk and run "
            "again; training goes on from the checkpoint before it, if there is one."
        ) from error


def out_of_memory(error: Exception) -> bool:
    """Whether `error` says that memory is full, on a GPU or a CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def spare_memory(arguments: TrainingArguments) -> str:
    """What to turn down, in this order, each with its present value."""
    reinforced = hasattr(arguments, "num_generations")
    knobs = [
        f"shorter completions (max_completion_length: {arguments.max_completion_length})" if reinforced else None,
        "fewer pixels (extract_demos.image_size)",
        f"smaller groups (num_generations: {arguments.num_generations})" if reinforced else None,
        f"smaller micro_batch (now {arguments.per_device_train_batch_size}; the numbers stay the same)",
        "NF4 (prepare_base.quantization: nf4)",
        "the 3B model (profile: gpu)",
    ]
    return "Try, in this order: " + "; ".join(knob for knob in knobs if knob) + "."


def save(trainer: Trainer, base: str | Path, output: Path, log: list[dict[str, Any]], settings: Any) -> None:
    """Write adapter, log and settings as one finished folder, then drop the checkpoints.

    The adapter names its base relative to the project root, so that the folder works in another checkout.
    """
    weights = parallel.whole_weights(trainer)
    if not trainer.is_world_process_zero():
        return
    model: PeftModel = trainer.accelerator.unwrap_model(trainer.model)
    model.peft_config["default"].base_model_name_or_path = paths.relative(base)
    with paths.atomic_folder(output) as folder:
        model.save_pretrained(  # with embedding layers it would ask the hub about the base
            folder, state_dict=weights, save_embedding_layers=False, selected_adapters=["default"]
        )
        (folder / "README.md").unlink(missing_ok=True)  # an empty model card with this machine's paths
        told = {"name": paths.relative(base), "sha256": digest(resolve(base))}
        paths.write_json(folder / BASE_FILE, told)
        write_log(folder / "log.jsonl", log)
        paths.write_json(folder / "settings.json", dataclasses.asdict(settings))
    for checkpoint in Path(trainer.args.output_dir).glob("checkpoint-*"):
        shutil.rmtree(checkpoint)


def write_log(path: Path, log: Sequence[dict[str, Any]]) -> None:
    """One JSON object a step."""
    paths.write_text(path, "".join(json.dumps(round_floats(entry), sort_keys=True) + "\n" for entry in log))


def read_log(path: Path) -> list[dict[str, Any]]:
    """The steps of a training log, as `write_log` wrote them."""
    return [entry for _, entry in read_objects(path)]
