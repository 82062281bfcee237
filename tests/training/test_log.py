import json

import pytest

from robotr1.training.log import step_log, write_log
from robotr1.training.rewards import REWARDS


@pytest.mark.parametrize("form", REWARDS)
def test_the_rewards_of_every_form_are_logged(form):
    logs = {f"rewards/{reward.__name__}/mean": value for reward, value in zip(REWARDS[form], (0.25, 0.75), strict=True)}
    assert step_log([{"step": 1, "loss": 0.5, **logs}]) == [{"step": 1, "loss": 0.5, "format": 0.25, "accuracy": 0.75}]


def test_consistency_is_logged():
    assert step_log([{"step": 1, "loss": 0.5, "rewards/consistency_reward/mean": 0.75}]) == [
        {"step": 1, "loss": 0.5, "consistency": 0.75}
    ]


def test_the_log_has_neither_clock_nor_summary():
    history = [
        {"step": 1, "loss": 0.5, "reward": 1.0, "step_time": 3.2, "epoch": 0.1},
        {"step": 1, "train_runtime": 9.9, "train_loss": 0.5},
    ]
    assert step_log(history) == [{"step": 1, "loss": 0.5, "reward": 1.0}]


def test_a_log_is_one_rounded_object_per_step(tmp_path):
    write_log(tmp_path / "log.jsonl", [{"step": 1, "loss": 1 / 3}, {"step": 2, "loss": 1e-9}])
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"step": 1, "loss": 0.333333}, {"step": 2, "loss": 0.0}]
