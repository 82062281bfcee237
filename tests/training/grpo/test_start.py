import dataclasses
import json

import pytest
import torch
from interrupted import MAKE_TRAINER, make_interrupted
from safetensors.torch import load_file
from small_settings import GRPO, SFT

from robotr1 import paths
from robotr1.policies.folders import PolicyError
from robotr1.policies.load import load_policy
from robotr1.records import SftExample
from robotr1.training import sft
from robotr1.training.checkpoints import fingerprint
from robotr1.training.grpo import trainer as rl
from robotr1.training.grpo.groups import sample_groups
from robotr1.training.grpo.start import load_start


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(paths, "MODELS", tmp_path / "models")


@pytest.fixture
def supervised(base, questions, tmp_path):
    """models/sft-cot, taught to write the letter C."""
    written = "<think> It is there. </think> <answer> [[C]] </answer>"
    examples = [SftExample(q.id, "train", "cot", q.task, q.image, q.prompt, written) for q in questions]
    sft.finetune(dataclasses.replace(SFT, steps=10), examples, base, tmp_path / "models/sft-cot")
    return tmp_path / "models/sft-cot"


def weights(folder):
    return load_file(folder / "adapter_model.safetensors")


def test_a_cold_start_trains_the_supervised_adapter_further(base, questions, supervised, tmp_path):
    settings = dataclasses.replace(GRPO, start="sft-cot", steps=1, learning_rate=0.0, beta=0.0)
    rl.train(settings, questions, base, tmp_path / "models/cold")
    before, after = weights(supervised), weights(tmp_path / "models/cold")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before), "without learning it is the start itself"
    model, processor = load_policy(tmp_path / "models/cold")
    groups = sample_groups(model, processor, questions[:4], settings)
    assert sum("[[C]]" in member["completion"] for group in groups for member in group) >= 14
    rl.train(dataclasses.replace(settings, learning_rate=1e-2, steps=3), questions, base, tmp_path / "models/warm")
    moved = weights(tmp_path / "models/warm")
    assert any(not torch.equal(before[name], moved[name]) for name in before)


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_the_start_is_the_reference_of_the_kl_and_resuming_is_exact(
    base, questions, supervised, tmp_path, monkeypatch, algorithm
):
    settings = dataclasses.replace(GRPO, algorithm=algorithm, start="sft-cot", beta=0.05)
    whole = rl.train(settings, questions, base, tmp_path / "models/whole")
    assert whole[0].get("kl", 0.0) == pytest.approx(0, abs=1e-4), "the reference is the start, not the base"
    assert sorted(path.name for path in (tmp_path / "models/whole").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "base.json", "log.jsonl", "settings.json",
    ]  # fmt: skip

    monkeypatch.setattr(rl, "make_trainer", make_interrupted)
    with pytest.raises(KeyboardInterrupt):
        rl.train(settings, questions, base, tmp_path / "models/cut")
    monkeypatch.setattr(rl, "make_trainer", MAKE_TRAINER)
    assert rl.train(settings, questions, base, tmp_path / "models/cut") == whole
    one, two = weights(tmp_path / "models/whole"), weights(tmp_path / "models/cut")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_starts_that_cannot_work(base, grouped_heads, supervised):
    def start(of=base, **changes):
        load_start(dataclasses.replace(GRPO, **{"start": "sft-cot", **changes}), of)

    with pytest.raises(PolicyError, match="models/sft-direct is missing; train it first.*finetune_sft@direct"):
        start(start="sft-direct")
    with pytest.raises(PolicyError, match="lora_rank: 8, but sft-cot has 4"):
        start(lora_rank=8)
    with pytest.raises(PolicyError, match="was trained on .*, not on"):
        start(of=grouped_heads)
    (paths.MODELS / "whole").mkdir()
    with pytest.raises(PolicyError, match="is no adapter"):
        start(start="whole")
    config = supervised / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": str(grouped_heads)}))
    with pytest.raises(PolicyError, match="was trained on another base"):
        start(of=grouped_heads)


def test_another_start_is_another_run(base, questions, supervised):
    plain = fingerprint(GRPO, questions, base)
    cold = fingerprint(GRPO, questions, base, supervised)
    (supervised / "log.jsonl").write_text("")
    assert len({plain, cold, fingerprint(GRPO, questions, base, supervised)}) == 3
