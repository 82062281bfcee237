import json

import pytest
import speaking_policy
import torch

from robotr1.policies.adapters import BASE_FILE, add_lora
from robotr1.policies.folders import digest
from robotr1.policies.load import load_model

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base():
    """The folder of a tiny policy that generates the answer form with random letters."""
    return speaking_policy.shared()[0]


@pytest.fixture(scope="session")
def questions():
    """Questions whose images exist, in the policy's vocabulary."""
    return speaking_policy.shared()[1]


@pytest.fixture(scope="session")
def adapter(base, tmp_path_factory):
    """An adapter folder as training saves it; its completions differ from those of `base`."""
    torch.manual_seed(0)
    model = add_lora(load_model(base), 4, 8)
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
