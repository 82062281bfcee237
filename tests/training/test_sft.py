import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_settings import SFT

from robotr1 import paths
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy
from robotr1.policies.processor import load_processor
from robotr1.records import SftExample
from robotr1.training import sft


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")


@pytest.fixture
def examples(questions):
    return [
        SftExample(
            q.id, "train", "cot", q.task, q.image, q.prompt, "<think> It is there. </think> <answer> [[C]] </answer>"
        )
        for q in questions
    ]


def test_only_the_completion_counts(base, examples):
    tokens = sft.loss_tokens(load_processor(base), examples[0])
    assert "".join(text for text, counts in tokens if counts) == examples[0].completion + "<|im_end|>\n"
    assert sum(text == "<|image_pad|>" for text, counts in tokens if not counts) == 25


def test_a_batch_is_masked_like_an_example(base, examples):
    trainer = sft.make_trainer(SFT, examples, base, "sft")
    batch = next(iter(trainer.get_train_dataloader()))
    told = [trainer.processing_class.tokenizer.decode(labels[labels != -100]) for labels in batch["labels"]]
    assert told == [examples[0].completion + "<|im_end|>\n"] * SFT.batch_size


def test_every_adapter_weight_moves_and_nothing_else(base, examples):
    trainer = sft.make_trainer(SFT, examples, base, "sft")
    before = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
    trainer.train()
    for name, value in trainer.model.named_parameters():
        assert torch.equal(value, before[name]) != value.requires_grad, name
        assert value.requires_grad == ("lora_" in name and "language_model" in name), name


def test_learns_what_it_is_told_and_repeats_exactly(base, examples, questions, tmp_path):
    settings = dataclasses.replace(SFT, steps=10)
    log = sft.finetune(settings, examples, base, tmp_path / "models/sft")
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]
    model, processor = load_policy(tmp_path / "models/sft")
    written = complete(model, processor, questions, batch_size=12, max_completion_length=20)
    assert sum("[[C]]" in text for text in written) >= 10
    assert sft.finetune(settings, examples, base, tmp_path / "models/again") == log
    one, two = (load_file(tmp_path / f"models/{name}/adapter_model.safetensors") for name in ("sft", "again"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_full_disk_leaves_the_last_good_checkpoint(base, examples, tmp_path, monkeypatch, checkpoints):
    """The second checkpoint's optimiser does not fit on the disk; the run started again ends as if nothing had been."""
    settings = dataclasses.replace(SFT, steps=5, save_steps=2)
    whole = sft.finetune(settings, examples, base, tmp_path / "models/whole")
    write = torch.save

    def full(content, file, *arguments, **names):
        if "checkpoint-4" in str(file):
            Path(file).write_bytes(b"PK")
            raise RuntimeError("unexpected pos 576 vs 534")  # what torch says where a disk is full
        write(content, file, *arguments, **names)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="checkpoint-4 could not be written.*free some"):
        sft.finetune(settings, examples, base, tmp_path / "models/cut")
    monkeypatch.setattr(torch, "save", write)
    assert not (tmp_path / "models/cut").exists()
    assert [path.name for path in (paths.CHECKPOINTS / "cut").glob("checkpoint-*")] == ["checkpoint-2"]
    assert sft.finetune(settings, examples, base, tmp_path / "models/cut") == whole


def test_no_examples(base, tmp_path):
    with pytest.raises(ValueError, match="no examples"):
        sft.finetune(SFT, [], base, tmp_path / "models/none")
