import sys

import pytest
import torch
from transformers import AutoModelForImageTextToText, GenerationConfig

from robotr1.policies import export as exporting
from robotr1.policies.export import export
from robotr1.policies.folders import PolicyError
from robotr1.policies.generate import complete
from robotr1.policies.inputs.images import load_image
from robotr1.policies.inputs.prompts import conversation
from robotr1.policies.load import load_policy
from robotr1.policies.processor import load_processor


def completions(policy, questions):
    return complete(*policy, questions, batch_size=12, max_completion_length=24)


def test_the_merged_model_completes_as_the_adapter_does(base, adapter, questions, tmp_path):
    merged = export(adapter, tmp_path / "merged", "float32")
    plain = AutoModelForImageTextToText.from_pretrained(merged)
    assert not any("lora" in name for name, _ in plain.named_parameters())
    want = completions(load_policy(adapter), questions)
    assert want != completions(load_policy(base), questions)
    assert completions(load_policy(merged), questions) == want


def test_weights_are_added_in_float32_and_rounded_once(adapter, tmp_path):
    whole, half = (export(adapter, tmp_path / name, name) for name in ("float32", "bfloat16"))
    exact = AutoModelForImageTextToText.from_pretrained(whole).state_dict()
    rounded = AutoModelForImageTextToText.from_pretrained(half).state_dict()
    assert exact.keys() == rounded.keys()
    for name, weights in exact.items():
        assert rounded[name].dtype == torch.bfloat16
        assert torch.equal(rounded[name], weights.to(torch.bfloat16)), name
    assert (half / "model.safetensors").stat().st_size < 0.6 * (whole / "model.safetensors").stat().st_size


def test_plain_transformers_completes_as_complete_does(adapter, questions, tmp_path):
    """No generation option is given; the folder's must suffice."""
    folder = export(adapter, tmp_path / "merged", "float32")
    model, processor = AutoModelForImageTextToText.from_pretrained(folder), load_processor(folder)
    want = completions(load_policy(adapter), questions)
    for question, text in list(zip(questions, want, strict=True))[:4]:
        chat = conversation(question.prompt, load_image(question.image))
        inputs = processor.apply_chat_template(
            chat, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
        written = model.generate(**inputs)[0, inputs["input_ids"].shape[1] :]
        assert processor.decode(written, skip_special_tokens=True) == text
    config = GenerationConfig.from_pretrained(folder)
    assert config.do_sample is False
    assert config.repetition_penalty == 1.0
    assert processor.image_token_id in config.suppress_tokens


def test_a_full_model_is_refused(base, tmp_path):
    with pytest.raises(PolicyError, match="adapter"):
        export(base, tmp_path / "merged")


def test_command_line(adapter, base, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["export", str(adapter), str(tmp_path / "merged"), "--dtype", "float32"])
    assert exporting.main() == 0
    assert (tmp_path / "merged/README.md").read_text().count("grpo-seed7")
    monkeypatch.setattr(sys, "argv", ["export", str(base), str(tmp_path / "no")])
    assert exporting.main() == 1
    assert "only an adapter" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
