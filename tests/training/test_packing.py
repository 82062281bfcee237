import dataclasses

import pytest
import torch
from small_settings import GRPO
from trl import GRPOTrainer

from robotr1 import paths
from robotr1.training import rl
from robotr1.training.packing import Groups, SharedPrompts, find_groups, pack, unpack


@pytest.fixture(scope="module")
def trainer(base, questions, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CHECKPOINTS", tmp_path_factory.mktemp("checkpoints"))
        asked = [dataclasses.replace(q, prompt=q.prompt + "\nTask left." * (i % 3)) for i, q in enumerate(questions)]
        trainer = rl.make_trainer(GRPO, asked, base, "packing")
    trainer.model.train()
    with torch.no_grad():
        for name, weights in trainer.model.named_parameters():
            if "lora_B" in name:
                weights.normal_(std=0.05)
    return trainer


@pytest.fixture(scope="module")
def batch(trainer):
    """Completions to four questions, rows in random order, one row missing."""
    rows = [trainer.train_dataset[i] for i in range(4) for _ in range(4)]
    out = trainer._generate_and_score_completions(rows)
    images = out["pixel_values"].split(out["image_grid_thw"].prod(-1).tolist())
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))[:15]
    return {
        "input_ids": torch.cat([out["prompt_ids"], out["completion_ids"]], dim=1)[order],
        "attention_mask": torch.cat([out["prompt_mask"], out["completion_mask"]], dim=1)[order],
        "logits_to_keep": out["completion_ids"].shape[1],
        "pixel_values": torch.cat([images[i] for i in order]),
        "image_grid_thw": out["image_grid_thw"][order],
        "num_images": [1] * 15,
        "mm_token_type_ids": out["mm_token_type_ids"][order],
    }


@pytest.mark.parametrize("chunk", [None, 6])
def test_same_numbers_and_gradients_as_trl(trainer, batch, chunk):
    mask = batch["attention_mask"][:, -batch["logits_to_keep"] :]
    weights = torch.linspace(-1, 1, len(mask))[:, None] * mask
    found = []
    for score in (GRPOTrainer._get_per_token_logps_and_entropies, type(trainer)._get_per_token_logps_and_entropies):
        trainer.model.zero_grad()
        logps, entropies, _ = score(trainer, trainer.model, batch_size=chunk, compute_entropy=True, **batch)
        (logps * weights).sum().backward()
        gradients = [p.grad.clone() for p in trainer.model.parameters() if p.grad is not None]
        found.append((logps.detach() * mask, entropies.detach() * mask, gradients))
    (logps, entropies, gradients), (ours, our_entropies, our_gradients) = found
    assert issubclass(type(trainer), SharedPrompts)
    torch.testing.assert_close(ours, logps, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(our_entropies, entropies, rtol=1e-4, atol=1e-4)
    for one, other in zip(our_gradients, gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_each_prompt_goes_through_once(trainer, batch):
    seen = []
    language_model = trainer.model.get_base_model().model.language_model
    hook = language_model.register_forward_hook(lambda *args: seen.append(args[2].last_hidden_state.shape[:2]))
    trainer._get_per_token_logps_and_entropies(trainer.model, **batch)
    hook.remove()
    keep = batch["logits_to_keep"]
    assert seen == [(4, batch["input_ids"].shape[1] - keep - 1 + 4 * keep)]


def test_groups_need_the_same_prompt_and_image():
    prompts = torch.tensor([[1, 2], [1, 2], [3, 4], [1, 2], [1, 2]])
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
    packed = pack(ids, mask, positions, 2, groups)
    assert packed["input_ids"].tolist() == [[0, 7, 8, 1, 8, 3]]
    assert packed["shift_labels"].tolist() == [[-100, -100, 1, 2, 3, -100]]
    assert packed["position_ids"][0].tolist() == [[0, 0, 1, 2, 1, 2]]
    assert packed["attention_mask"][0, 0].int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 1, 0, 0, 1, 0],
        [0, 1, 0, 0, 1, 1],
    ]
    values = torch.arange(6)[None]
    assert unpack(values, 2, groups).tolist() == [[2, 3], [4, 5]]
