import pytest
import speaking_policy
import torch
from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

from robotr1.policies.processor import load_processor

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base():
    """The folder of a tiny policy that writes the answer form with random letters."""
    return speaking_policy.shared()[0]


@pytest.fixture(scope="session")
def questions():
    """Questions whose images exist, in the policy's vocabulary."""
    return speaking_policy.shared()[1]


@pytest.fixture(scope="session")
def grouped_heads(base, tmp_path_factory):
    """The folder of an untrained policy whose query heads share one key head, as larger models' do."""
    processor = load_processor(base)
    config = AutoConfig.from_pretrained(base)
    config.text_config.num_key_value_heads = 1
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("grouped_heads")
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
