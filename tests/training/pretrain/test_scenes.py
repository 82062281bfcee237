import numpy as np

from robotr1.training.pretrain.scenes import BOUNDS, GAP, sample_options

SEEDS = range(40)


def test_options_keep_their_distance():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        options = np.array(sample_options([rng.uniform(*BOUNDS)], 4, rng))
        gaps = np.linalg.norm(options[:, None] - options[None], axis=-1)[np.triu_indices(4, 1)]
        assert gaps.min() >= GAP
