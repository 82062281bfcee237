"""Training runs in processes of their own that kill themselves without warning, for tests/training/test_resume.py."""

import os
import signal
from pathlib import Path

import torch
from forked import run_together
from peft import PeftModel
from transformers import TrainerCallback

from robotr1 import paths
from robotr1.training import checkpoints, runs, sft
from robotr1.training.grpo import trainer as rl

TRAIN = {"rl": rl.train, "sft": sft.finetune}
MODULES = {"rl": rl, "sft": sft}


class Kill(TrainerCallback):
    """SIGKILL at `moment`: before the step of that number, or at the end of training, before the policy is saved."""

    def __init__(self, moment: int | str):
        self.moment = moment

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == self.moment:
            die()

    def on_train_end(self, args, state, control, **kwargs):
        if self.moment == "end":
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _train(method, settings, asked, base, output, folder, moment) -> None:
    torch.set_num_threads(1)
    paths.CHECKPOINTS = folder
    module, write = MODULES[method], torch.save
    make = module.make_trainer

    def doomed(*arguments):
        trainer = make(*arguments)
        trainer.add_callback(Kill(moment))
        return trainer

    def interrupted(content, file, *arguments, **names):
        if str(moment) in Path(file).parts:
            Path(file).write_bytes(b"PK")
            die()
        write(content, file, *arguments, **names)

    def without_manifest(checkpoint):
        if moment == f"manifest of {checkpoint.name}":
            die()
        write_manifest(checkpoint)

    def half_an_adapter(model, folder, **options):
        if moment == "adapter" and Path(folder).suffix == ".part":
            (Path(folder) / "adapter_config.json").write_text("{")
            die()
        save_adapter(model, folder, **options)

    def half_removed(folder):
        if moment == "removal":
            for path in folder.glob("checkpoint-*/optimizer.pt"):
                path.unlink()
            die()
        remove(folder)

    write_manifest, save_adapter, remove = (
        checkpoints.write_manifest,
        PeftModel.save_pretrained,
        runs.remove_checkpoints,
    )
    module.make_trainer, torch.save, PeftModel.save_pretrained = doomed, interrupted, half_an_adapter
    checkpoints.write_manifest, runs.remove_checkpoints = without_manifest, half_removed
    TRAIN[method](settings, asked, base, output)


def train_and_die(method: str, settings, asked, base: Path, output: Path, moment: int | str) -> None:
    """Train in another process until `moment`, and kill it there.

    Moments: the number of a step; "checkpoint-N" while that one is written; "manifest of checkpoint-N" just before its
    manifest; "end" after the last step; "adapter" while the policy is saved; "removal" while checkpoints are removed.
    """
    (code,) = run_together(_train, [(method, settings, asked, base, output, paths.CHECKPOINTS, moment)])
    assert code == -signal.SIGKILL, f"exit {code} instead of a kill at {moment}"
