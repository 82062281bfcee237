import pytest
import torch

from robotr1.policies import tiny
from robotr1.training.pretrain.batches import IMAGE_TOKENS, Batcher
from robotr1.training.pretrain.language import train_language


@pytest.mark.parametrize("guidance", [0.0, 0.3])
def test_a_few_steps_lower_the_loss_and_leave_the_vision_tower_alone(tokenizer, examples, guidance):
    model = tiny.build_model(tokenizer)
    before = {name: value.clone() for name, value in model.named_parameters()}
    rows = []
    features = torch.randn(8 * IMAGE_TOKENS, tiny.HIDDEN)
    repeated = iter(lambda: (examples, features), None)
    train_language(model, repeated, Batcher(tokenizer), 50, 2e-3, guidance, lambda **values: rows.append(values))
    assert rows[-1]["loss"] < rows[0]["loss"]
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name]) == (".visual." in name), name
