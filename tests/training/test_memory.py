import pytest
import torch
from small_settings import GRPO, SFT
from trl import SFTConfig

from robotr1 import paths
from robotr1.training import runs
from robotr1.training.grpo import trainer as rl
from robotr1.training.memory import memory_advice
from robotr1.training.sft import sft_arguments


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_names_the_settings_to_lower(base, questions, error):
    trainer = rl.make_trainer(GRPO, questions, base, "memory")

    def full(*arguments, **options):
        raise error

    trainer.training_step = full
    with pytest.raises(MemoryError, match="out of memory") as caught:
        runs.run(trainer, "mark")
    message = str(caught.value)
    knobs = ["max_completion_length: 20", "image_size", "num_generations: 4", "micro_batch", "nf4", "3B"]
    places = [message.index(knob) for knob in knobs]
    assert places == sorted(places)
    assert "\n" not in message


def test_supervised_runs_have_no_groups():
    message = memory_advice(SFTConfig(**sft_arguments(SFT, "memory")))
    assert "num_generations" not in message
    assert "micro_batch (now 4" in message
