import json

import pytest

from robotr1 import paths
from robotr1.policies.base import prepare_base
from robotr1.policies.folders import PolicyError
from robotr1.policies.load import load_policy
from robotr1.settings import PrepareBase


def settings(base: str, revision: str = "") -> PrepareBase:
    return PrepareBase(base=base, revision=revision, quantization="none")


def test_the_shipped_base_loads_from_its_copy(tmp_path):
    model, processor = load_policy(prepare_base(settings("tiny"), tmp_path / "base"))
    assert model.config.model_type == "qwen2_5_vl"
    assert processor.tokenizer.padding_side == "left"
    weights = sum(file.stat().st_size for file in (tmp_path / "base").iterdir())
    assert weights <= 20_000_000, "the shipped base has to stay small enough for git"


def test_a_folder_without_processor_leaves_nothing_behind(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "config.json").write_text(json.dumps({"model_type": "qwen2_5_vl"}))
    with pytest.raises(PolicyError, match="processor"):
        prepare_base(settings(str(source)), tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_a_hub_model_needs_a_revision(tmp_path):
    with pytest.raises(PolicyError, match="revision"):
        prepare_base(settings("somebody/some-model"), tmp_path / "base")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PolicyError, match="models/nowhere"):
        prepare_base(settings("models/nowhere"), tmp_path / "base")
    assert paths.MODELS.name == "models"
