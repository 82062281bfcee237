import numpy as np
import pytest

from robotr1.policies import tiny
from robotr1.training.pretrain.image_examples import state_example
from robotr1.training.pretrain.recipe import vocabulary_texts
from robotr1.training.pretrain.scenes import random_scene


@pytest.fixture(scope="session")
def tokenizer():
    return tiny.build_tokenizer(vocabulary_texts(np.random.default_rng(0), count=20))


@pytest.fixture
def examples():
    """Eight state examples."""
    rng = np.random.default_rng(0)
    return [state_example(random_scene(rng), rng) for _ in range(8)]
