import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

from robotr1.policies.adapters import BASE_FILE, add_lora
from robotr1.policies.export import export
from robotr1.policies.folders import PolicyError
from robotr1.policies.generate import complete
from robotr1.policies.load import load_model, load_policy
from robotr1.policies.processor import load_processor


def test_lora_is_in_the_language_model_only(base):
    model = add_lora(load_model(base), 4, 8)
    trainable = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert all("language_model" in name and "lora_" in name for name in trainable)
    layers = model.config.get_text_config().num_hidden_layers
    assert len(trainable) == layers * 7 * 2


def test_an_adapter_folder_loads_onto_its_base(base, adapter, questions):
    torch.manual_seed(0)
    model = add_lora(load_model(base), 4, 8)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    sampling = {"batch_size": 4, "max_completion_length": 24}
    want = complete(model, load_processor(base), questions[:4], **sampling)
    assert complete(*load_policy(adapter), questions[:4], **sampling) == want
    assert complete(*load_policy(base), questions[:4], **sampling) != want


@pytest.mark.parametrize("change", ["weights", "fewer_layers", "more_layers", "width"])
def test_an_adapter_of_another_base_is_refused(base, adapter, tmp_path, change):
    other = tmp_path / "other"
    config = AutoConfig.from_pretrained(base)
    text = config.text_config
    if change == "width":
        text.intermediate_size += 32
    elif change != "weights":
        text.num_hidden_layers += 1 if change == "more_layers" else -1
        text.layer_types = ["full_attention"] * text.num_hidden_layers
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(other)
    load_processor(base).save_pretrained(other)
    moved = tmp_path / "adapter"
    shutil.copytree(adapter, moved)
    if change != "weights":
        (moved / BASE_FILE).unlink()  # adapters from elsewhere do not have it
    stored = json.loads((moved / "adapter_config.json").read_text())
    (moved / "adapter_config.json").write_text(json.dumps({**stored, "base_model_name_or_path": str(other)}))
    for use in (lambda: export(moved, tmp_path / "merged"), lambda: load_policy(moved)):
        with pytest.raises(PolicyError, match="another base"):
            use()
    assert not (tmp_path / "merged").exists()


@pytest.fixture
def moved(adapter, tmp_path):
    return shutil.copytree(adapter, tmp_path / "moved")


def rewrite(folder, rename):
    """Save the adapter's weights again with other names; None leaves one out."""
    weights = load_file(folder / "adapter_model.safetensors")
    renamed = {rename(name): value for name, value in weights.items()}
    renamed.pop(None, None)
    save_file(renamed, folder / "adapter_model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (".model.language_model.layers", ".model.layers"),
        ("base_model.model.model.language_model.", "base_model.model."),
        ("base_model.model.", ""),
        ("base_model.", "module.base_model."),
        (".language_model.", ".text_model."),
    ],
)
def test_weights_with_another_prefix_are_not_called_those_of_another_base(moved, old, new):
    rewrite(moved, lambda name: name.replace(old, new, 1))
    with pytest.raises(
        PolicyError, match="have another prefix: it has .*, the base needs base_model.model.model.langu"
    ):
        load_policy(moved)


def test_weights_that_match_nothing_are_named(moved):
    numbers = iter(range(1000))
    rewrite(moved, lambda name: f"blocks.{next(numbers)}.lora")
    with pytest.raises(PolicyError, match=r"none of its 56 weights is one of the base's: it has blocks\.0\.lora"):
        load_policy(moved)
    save_file({}, moved / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(PolicyError, match="none of its 0 weights"):
        load_policy(moved)


def test_an_adapter_of_this_base_with_a_missing_weight_is_incomplete(moved):
    rewrite(moved, lambda name: None if "layers.1.mlp.up_proj.lora_B" in name else name)
    with pytest.raises(
        PolicyError, match="incomplete or changed: of 56 weights 1 differ; it lacks .*layers.1.mlp.up_p"
    ):
        load_policy(moved)
    (moved / BASE_FILE).unlink()
    with pytest.raises(PolicyError, match="was trained on another base than .*: of 56 weights 1 differ; it lacks"):
        load_policy(moved)


def test_an_adapter_of_this_base_with_another_rank_has_a_changed_config(moved):
    config = json.loads((moved / "adapter_config.json").read_text())
    (moved / "adapter_config.json").write_text(json.dumps(config | {"r": 8}))
    with pytest.raises(PolicyError, match="its adapter_config.json has changed, as its weights have other shapes"):
        load_policy(moved)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("adapter_model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "LFS"),
        ("adapter_model.safetensors", b"", "moved/adapter_model.safetensors: truncated or damaged"),
        ("adapter_model.safetensors", b"\x10" + b"\0" * 40, "moved/adapter_model.safetensors: truncated or damaged"),
        ("adapter_config.json", b"[]", "no base_model_name_or_path"),
        ("adapter_config.json", b"\xff", "no base_model_name_or_path"),
        ("adapter_config.json", b'{"base_model_name_or_path": null}', "base_model_name_or_path is None"),
        ("adapter_config.json", b'{"base_model_name_or_path": ""}', "base_model_name_or_path is ''"),
        ("base.json", b"[]", "base.json: no record of a base"),
        ("base.json", b"{", "base.json: no record of a base"),
    ],
)
def test_a_broken_file_is_named(moved, name, content, message):
    (moved / name).write_bytes(content)
    with pytest.raises(PolicyError, match=message):
        load_policy(moved)


def test_an_adapter_without_weights_or_with_nan_is_named(moved):
    weights = load_file(moved / "adapter_model.safetensors")
    save_file(
        {
            name: value * (float("nan") if "layers.0.mlp.up_proj.lora_B" in name else 1)
            for name, value in weights.items()
        },
        moved / "adapter_model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(PolicyError, match="layers.0.mlp.up_proj.lora_B.*has values that are no numbers"):
        load_policy(moved)
    (moved / "adapter_model.safetensors").unlink()
    with pytest.raises(PolicyError, match="no adapter_model.safetensors"):
        load_policy(moved)
