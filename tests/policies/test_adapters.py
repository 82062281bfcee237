import json
import shutil

import pytest
import torch
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
