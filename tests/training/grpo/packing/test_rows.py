import torch

from robotr1.training.grpo.packing.rows import Groups, find_groups, pack


def test_groups_need_the_same_prompt_and_image():
    prompts = [[1, 2], [1, 2], [3, 4], [1, 2], [1, 2]]
    images = [torch.tensor([value]) for value in (0.0, 1.0, 0.0, 0.0, 1.0)]
    groups = find_groups(prompts, images)
    assert groups.first.tolist() == [0, 1, 2]
    assert groups.group.tolist() == [0, 1, 2, 0, 1]
    assert groups.slot.tolist() == [0, 0, 0, 1, 1]
    assert groups.size == 2


def test_layout_by_hand():
    ids = torch.tensor([[0, 7, 8, 1, 2], [0, 7, 8, 3, 0]])  # pad 7 8 | a1 a2, pad 7 8 | b1 pad
    mask = torch.tensor([[0, 1, 1, 1, 1], [0, 1, 1, 1, 0]])
    zero = torch.tensor([0, 0])
    groups = Groups(first=torch.tensor([0]), group=zero, slot=torch.tensor([0, 1]))
    positions = torch.tensor([[[0, 0, 1]]]).expand(3, 1, 3)
    row, places, layout = pack(ids, mask, positions, 2, groups)
    assert row["input_ids"].tolist() == [[7, 8, 1]]
    assert row["shift_labels"].tolist() == [[1, 2, 3]]
    assert places.tolist() == [1, 2, 1]
    assert row["position_ids"][0].tolist() == [[0, 1, 2]]
    assert layout.shape == (1, 2, 2, 1)
    assert layout.prompts.tolist() == [0, 1]
    assert layout.completions.tolist() == [0]
    assert layout.visible[:, 0].int().tolist() == [[[1, 1, 1]], [[1, 1, 1]]]
