import dataclasses
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_settings import GRPO, SFT

from robotr1 import paths
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy
from robotr1.policies.processor import load_processor
from robotr1.questions.answers import thought
from robotr1.records import SftExample
from robotr1.training import sft
from robotr1.training.grpo.groups import score_completions


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


def test_only_the_completion_counts_in_the_loss(base, examples):
    tokens = sft.loss_tokens(load_processor(base), examples[0])
    assert "".join(text for text, counts in tokens if counts) == examples[0].completion + "<|im_end|>\n"
    assert sum(text == "<|image_pad|>" for text, counts in tokens if not counts) == 25


def test_a_batch_is_masked_like_an_example(base, examples):
    trainer = sft.make_trainer(SFT, examples, base, "sft")
    batch = next(iter(trainer.get_train_dataloader()))
    completions = [trainer.processing_class.tokenizer.decode(labels[labels != -100]) for labels in batch["labels"]]
    assert completions == [examples[0].completion + "<|im_end|>\n"] * SFT.batch_size


def test_every_adapter_weight_moves_and_nothing_else(base, examples):
    trainer = sft.make_trainer(SFT, examples, base, "sft")
    before = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
    trainer.train()
    for name, value in trainer.model.named_parameters():
        assert torch.equal(value, before[name]) != value.requires_grad, name
        assert value.requires_grad == ("lora_" in name and "language_model" in name), name


def test_a_run_learns_the_answer_and_repeats_exactly(base, examples, questions, tmp_path):
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
    """The second checkpoint's optimiser does not fit on the disk; the next run ends like an uninterrupted one."""
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


@contextmanager
def files_of_at_most(size):
    """Writing more than `size` bytes to a file fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("save_steps", "what"), [(1, "checkpoints/cut/checkpoint-1"), (99, "models/cut")])
def test_no_room_for_the_adapter(base, examples, tmp_path, checkpoints, save_steps, what):
    """Neither in a checkpoint nor as the finished policy; nothing half-written is left, and the next run succeeds."""
    settings = dataclasses.replace(SFT, steps=2, save_steps=save_steps)
    with files_of_at_most(20_000), pytest.raises(OSError, match=f"{what} could not be written.*free some"):
        sft.finetune(settings, examples, base, tmp_path / "models/cut")
    assert not list((tmp_path / "models").glob("*"))
    assert not list((paths.CHECKPOINTS / "cut").glob("checkpoint-*"))
    sft.finetune(settings, examples, base, tmp_path / "models/cut")
    load_policy(tmp_path / "models/cut")


def test_a_loss_that_is_no_number_stops_the_run(base, examples, tmp_path):
    settings = dataclasses.replace(SFT, steps=9, learning_rate=1e30)
    with pytest.raises(ValueError, match="(loss|grad_norm) is (nan|inf).*learning_rate"):
        sft.finetune(settings, examples, base, tmp_path / "models/nan")
    assert not (tmp_path / "models").exists()


def test_a_cold_start_thinks_the_chain_and_chooses_the_right_letter(questions):
    chain = "Plan: 1. go 2. push\nSubtask: go\nMove: move up\nAnswer: [0.2, -0.1, 0.8]"
    frames = [q.id.rpartition("/")[0] for q in questions]
    chains = {
        f"{frame}/{kind}": SftExample(f"{frame}/{kind}", "train", "cot", q.task, q.image, "Where?", chain)
        for frame, q in zip(frames[:-1], questions[:-1], strict=True)
        for kind in ("waypoint", "state")
    }
    examples = sft.cold_start_examples(questions, chains)
    assert [example.id for example in examples] == [q.id for q in questions[:-1]], "the last question has no chain"
    for example, question in zip(examples, questions[:-1], strict=True):
        assert example.prompt == question.prompt
        assert score_completions(GRPO, [question], [example.completion]) == ([1.0], [1.0])
        assert thought(example.completion) == "Subtask: go Move: move up Place: [0.2, -0.1, 0.8]"


def test_no_examples(base, tmp_path):
    with pytest.raises(ValueError, match="no examples"):
        sft.finetune(SFT, [], base, tmp_path / "models/none")
