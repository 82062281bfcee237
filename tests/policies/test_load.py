import json
import shutil

import pytest
import torch
from transformers import AutoModelForImageTextToText

from robotr1.policies import tiny
from robotr1.policies.adapters import add_lora
from robotr1.policies.folders import PolicyError
from robotr1.policies.generate import complete
from robotr1.policies.load import language_core, load_model, load_policy


def test_load_policy_gives_the_model_of_a_plain_transformers_call(base):
    plain, (ours, _) = AutoModelForImageTextToText.from_pretrained(base), load_policy(base)
    assert type(plain) is type(ours)
    assert not ours.training
    for (name, a), b in zip(plain.state_dict().items(), ours.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize("removed", ["config.json", "model.safetensors"])
def test_an_incomplete_folder_names_the_missing_file(base, tmp_path, removed):
    folder = tmp_path / "broken"
    shutil.copytree(base, folder)
    (folder / removed).unlink()
    with pytest.raises(PolicyError, match=removed) as error:
        load_model(folder)
    assert str(folder) in str(error.value)


def test_an_unknown_quantization_is_an_error(base):
    with pytest.raises(PolicyError, match="none, nf4"):
        load_policy(base, quantization="int3")


def test_nf4_quantizes_the_language_model_but_not_vision_and_head(base, questions):
    from bitsandbytes.nn import Linear4bit

    model, processor = load_policy(base, quantization="nf4")
    quantized = [name for name, module in model.named_modules() if isinstance(module, Linear4bit)]
    layers = model.config.get_text_config().num_hidden_layers
    assert len(quantized) == layers * 7
    assert all("language_model" in name for name in quantized)
    assert all(complete(model, processor, questions[:2], batch_size=2, max_completion_length=4))


def test_the_core_is_found_inside_wrappers(base):
    model = load_model(base)
    core = language_core(model)
    assert core is model.model and language_core(core) is core
    assert language_core(add_lora(model, 2, 4)) is core
    assert language_core(torch.nn.Linear(1, 1)) is None


def test_the_tokenizer_of_another_model_is_an_error(base, tmp_path):
    other = tiny.build_tokenizer(["words that the policy never saw, and many more of them"], vocabulary=2000)
    folder = shutil.copytree(base, tmp_path / "mixed")
    other.add_tokens([f"word{number}" for number in range(100)])
    other.save_pretrained(folder)
    with pytest.raises(PolicyError, match="mixed: the tokenizer has .* tokens .*different models"):
        load_policy(folder)


def test_another_image_token_is_an_error(base, tmp_path):
    folder = shutil.copytree(base, tmp_path / "mixed")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"image_token_id": config["image_token_id"] + 1}))
    with pytest.raises(PolicyError, match="the image token .*different models"):
        load_policy(folder)
