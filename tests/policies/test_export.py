import json
import shutil
import sys

import pytest
import torch
from peft import get_peft_model
from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig, Qwen2_5_VLForConditionalGeneration

from robotr1.policies import export as exporting
from robotr1.policies.export import export, model_card
from robotr1.policies.generate import complete, conversation
from robotr1.policies.images import load_image
from robotr1.policies.load import BASE_FILE, PolicyError, digest, load_model, load_policy, load_processor, lora_config


@pytest.fixture(scope="module")
def adapter(base, tmp_path_factory):
    torch.manual_seed(0)
    model = get_peft_model(load_model(base), lora_config(4, 8))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    model.peft_config["default"].base_model_name_or_path = str(base)
    folder = tmp_path_factory.mktemp("grpo-seed7") / "grpo-seed7"
    model.save_pretrained(folder)
    (folder / BASE_FILE).write_text(json.dumps({"name": str(base), "sha256": digest(base)}))
    (folder / "settings.json").write_text(json.dumps({"algorithm": "grpo", "max_completion_length": 24}))
    return folder


def ask(policy, questions):
    return complete(*policy, questions, batch_size=12, max_completion_length=24)


def test_merged_model_answers_as_the_adapter_does(base, adapter, questions, tmp_path):
    merged = export(adapter, tmp_path / "merged", "float32")
    plain = AutoModelForImageTextToText.from_pretrained(merged)
    assert not any("lora" in name for name, _ in plain.named_parameters())
    want = ask(load_policy(adapter), questions)
    assert want != ask(load_policy(base), questions)
    assert ask(load_policy(merged), questions) == want


def test_weights_are_added_in_float32_and_rounded_once(adapter, tmp_path):
    whole, half = (export(adapter, tmp_path / name, name) for name in ("float32", "bfloat16"))
    exact = AutoModelForImageTextToText.from_pretrained(whole).state_dict()
    rounded = AutoModelForImageTextToText.from_pretrained(half).state_dict()
    assert exact.keys() == rounded.keys()
    for name, weights in exact.items():
        assert rounded[name].dtype == torch.bfloat16
        assert torch.equal(rounded[name], weights.to(torch.bfloat16)), name
    assert (half / "model.safetensors").stat().st_size < 0.6 * (whole / "model.safetensors").stat().st_size


def test_plain_transformers_answers_as_complete_does(adapter, questions, tmp_path):
    """No generation option is given: what the folder says must be enough."""
    folder = export(adapter, tmp_path / "merged", "float32")
    model, processor = AutoModelForImageTextToText.from_pretrained(folder), load_processor(folder)
    want = ask(load_policy(adapter), questions)
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
    written = json.loads((moved / "adapter_config.json").read_text())
    (moved / "adapter_config.json").write_text(json.dumps({**written, "base_model_name_or_path": str(other)}))
    for use in (lambda: export(moved, tmp_path / "merged"), lambda: load_policy(moved)):
        with pytest.raises(PolicyError, match="another base"):
            use()
    assert not (tmp_path / "merged").exists()


def test_the_base_is_known_by_its_weights_not_its_name(base, tmp_path):
    shutil.copytree(base, tmp_path / "copy")
    assert digest(tmp_path / "copy") == digest(base)
    weights = tmp_path / "copy/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert digest(tmp_path / "copy") != digest(base)
    assert digest("some/hub-id") is None


def test_the_card_tells_what_was_measured(tmp_path):
    metrics = {
        "grpo-seed7": {"test_in": {"all": 0.7958, "waypoint": 0.9723}, "reasoning": {"planning": 3.0}},
        "base": {"test_in": {"all": 0.6736}},
    }
    (tmp_path / "run_benchmarks.json").write_text(json.dumps(metrics))
    card = model_card("grpo-seed7", str(tmp_path), {"algorithm": "grpo", "beta": 0.0}, "bfloat16", tmp_path)
    assert card.startswith("---\nlibrary_name: transformers\npipeline_tag: image-text-to-text\n")
    assert "| grpo-seed7 | test_in | 79.6 % | 97.2 % |" in card
    assert "| base | test_in | 67.4 % |  |" in card
    assert "- beta: 0.0" in card
    assert "planning" not in card, "a judge's score is no share of right answers"
    assert "Not measured" in model_card("unknown", "some/hub-id", {}, "bfloat16", tmp_path)
    assert "base_model: some/hub-id" in model_card("unknown", "some/hub-id", {}, "bfloat16", tmp_path)


def test_command_line(adapter, base, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["export", str(adapter), str(tmp_path / "merged"), "--dtype", "float32"])
    assert exporting.main() == 0
    assert (tmp_path / "merged/README.md").read_text().count("grpo-seed7")
    monkeypatch.setattr(sys, "argv", ["export", str(base), str(tmp_path / "no")])
    assert exporting.main() == 1
    assert "only an adapter" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
