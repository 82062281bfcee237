import json
import shutil

import pytest
import torch
from peft import get_peft_model
from transformers import AutoModelForImageTextToText, ProcessorMixin

from robotr1.policies.generate import complete
from robotr1.policies.load import PolicyError, load_model, load_policy, load_processor, lora_config


def test_processor_keeps_its_class_name(base, tmp_path):
    processor = load_processor(base)
    assert isinstance(processor, ProcessorMixin)
    assert processor.tokenizer.padding_side == "left"
    processor.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "processor_config.json").read_text())["processor_class"] == "Qwen2_5_VLProcessor"


def test_plain_call_loads_the_same_model(base):
    plain, (ours, _) = AutoModelForImageTextToText.from_pretrained(base), load_policy(base)
    assert type(plain) is type(ours)
    assert not ours.training
    for (name, a), b in zip(plain.state_dict().items(), ours.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize(
    ("removed", "loader", "wanted"),
    [
        (["processor_config.json", "preprocessor_config.json"], load_processor, "processor_config.json"),
        (["tokenizer.json", "tokenizer_config.json"], load_processor, "tokenizer.json"),
        (["config.json"], load_model, "config.json"),
        (["model.safetensors"], load_model, "model.safetensors"),
    ],
)
def test_incomplete_folder_says_what_is_missing(base, tmp_path, removed, loader, wanted):
    folder = tmp_path / "broken"
    shutil.copytree(base, folder)
    for name in removed:
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(PolicyError, match=wanted) as error:
        loader(folder)
    assert str(folder) in str(error.value)


def test_missing_folder_is_not_looked_for_on_the_hub(tmp_path):
    with pytest.raises(PolicyError, match="no such policy folder"):
        load_policy(tmp_path / "nowhere")
    with pytest.raises(PolicyError, match="no such policy folder"):
        load_policy("models/nowhere")


def test_unknown_quantization_is_refused(base):
    with pytest.raises(PolicyError, match="none, nf4"):
        load_policy(base, quantization="int3")


def test_lora_sits_in_the_language_model_only(base):
    model = get_peft_model(load_model(base), lora_config(4, 8))
    trainable = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert all("language_model" in name and "lora_" in name for name in trainable)
    layers = model.config.get_text_config().num_hidden_layers
    assert len(trainable) == layers * 7 * 2


def test_adapter_folder_finds_its_base(base, questions, tmp_path):
    torch.manual_seed(0)
    model = get_peft_model(load_model(base), lora_config(4, 8))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    model.peft_config["default"].base_model_name_or_path = str(base)
    model.save_pretrained(tmp_path / "adapter")
    processor = load_processor(base)
    want = complete(model, processor, questions[:4], batch_size=4, max_completion_length=8)
    by_folder = complete(*load_policy(tmp_path / "adapter"), questions[:4], batch_size=4, max_completion_length=8)
    by_name = complete(
        *load_policy(base, adapter=tmp_path / "adapter"), questions[:4], batch_size=4, max_completion_length=8
    )
    assert want == by_folder == by_name
    assert want != complete(*load_policy(base), questions[:4], batch_size=4, max_completion_length=8)


def test_broken_adapter_is_named(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(PolicyError, match="base_model_name_or_path"):
        load_policy(tmp_path)


def test_nf4_leaves_vision_and_head_alone(base, questions):
    from bitsandbytes.nn import Linear4bit

    model, processor = load_policy(base, quantization="nf4")
    quantized = [name for name, module in model.named_modules() if isinstance(module, Linear4bit)]
    layers = model.config.get_text_config().num_hidden_layers
    assert len(quantized) == layers * 7
    assert all("language_model" in name for name in quantized)
    assert all(complete(model, processor, questions[:2], batch_size=2, max_completion_length=4))
