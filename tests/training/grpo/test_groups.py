import pytest
from small_settings import GRPO

from robotr1.policies.load import load_policy
from robotr1.training.grpo.groups import group_advantages, sample_groups


def test_group_advantages_by_hand():
    ours = group_advantages([2, 1, 1, 1, 0, 0, 0, 0], 4)
    assert ours[:4] == pytest.approx([0.75 / 0.5001] + [-0.25 / 0.5001] * 3)
    assert ours[4:] == [0.0] * 4


def test_groups_as_training_sees_them(base, questions):
    model, processor = load_policy(base)
    groups = sample_groups(model, processor, questions[:6], GRPO)
    assert [len(group) for group in groups] == [GRPO.num_generations] * 6
    assert len({tuple(member["completion"] for member in group) for group in groups}) > 1
    for group in groups:
        assert sum(member["advantage"] for member in group) == pytest.approx(0, abs=1e-6)
        assert all(member["reward"] == member["format"] + member["accuracy"] for member in group)
