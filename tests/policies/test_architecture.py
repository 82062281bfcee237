import torch

from robotr1.policies.adapters import add_lora
from robotr1.policies.architecture import language_core
from robotr1.policies.load import load_model


def test_the_core_is_found_inside_wrappers(base):
    model = load_model(base)
    core = language_core(model)
    assert core is model.model and language_core(core) is core
    assert language_core(add_lora(model, 2, 4)) is core
    assert language_core(torch.nn.Linear(1, 1)) is None
