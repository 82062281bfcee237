import pytest
import torch
from peft import get_peft_model
from transformers import AutoModelForImageTextToText

from robotr1.policies.export import export
from robotr1.policies.generate import complete
from robotr1.policies.load import PolicyError, load_model, load_policy, lora_config


def test_merged_model_answers_as_the_adapter_does(base, questions, tmp_path):
    torch.manual_seed(0)
    model = get_peft_model(load_model(base), lora_config(4, 8))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    model.peft_config["default"].base_model_name_or_path = str(base)
    model.save_pretrained(tmp_path / "adapter")
    merged = export(tmp_path / "adapter", tmp_path / "merged")
    plain = AutoModelForImageTextToText.from_pretrained(merged)
    assert not any("lora" in name for name, _ in plain.named_parameters())
    want = complete(*load_policy(tmp_path / "adapter"), questions, batch_size=12, max_completion_length=8)
    assert complete(*load_policy(merged), questions, batch_size=12, max_completion_length=8) == want


def test_a_full_model_is_refused(base, tmp_path):
    with pytest.raises(PolicyError, match="adapter"):
        export(base, tmp_path / "merged")
