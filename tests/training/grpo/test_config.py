import dataclasses

import pytest
import torch
from small_settings import GRPO

from robotr1.training.grpo.config import rl_config


def test_a_micro_batch_holds_whole_groups():
    with pytest.raises(ValueError, match="whole groups"):
        rl_config(dataclasses.replace(GRPO, micro_batch=2), "config")


def test_every_choice_that_differs_from_trl_is_stated():
    config = rl_config(GRPO, "config")
    assert config.loss_type == "grpo"
    assert config.use_bias_correction_kl is False
    assert config.scale_rewards == "group"
    assert config.num_generations == 4
    assert config.generation_batch_size == 16
    assert config.bf16 is torch.cuda.is_available()
    assert config.gradient_checkpointing is False
    later = rl_config(dataclasses.replace(GRPO, updates_per_rollout=3, save_steps=4), "config")
    assert later.save_steps == 6
    assert later.steps_per_generation == 3
