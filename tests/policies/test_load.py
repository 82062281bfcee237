import shutil

import pytest
import torch
from transformers import AutoModelForImageTextToText

from robotr1.policies.folders import PolicyError
from robotr1.policies.generate import complete
from robotr1.policies.load import load_model, load_policy


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
