"""The trainer's step against the same step computed by hand, on fixed completions."""

import pytest
import torch
from small_settings import GRPO

from robotr1 import paths
from robotr1.questions.prompts import completion_text
from robotr1.training.grpo import one_step

RIGHT, WRONG, FORMLESS = completion_text("It is there.", "A"), completion_text("It is there.", "B"), "It is there."
COMPLETIONS = [RIGHT, WRONG, WRONG, RIGHT, FORMLESS]


@pytest.fixture(scope="module")
def step(base, questions, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CHECKPOINTS", tmp_path_factory.mktemp("checkpoints"))
        return one_step.trainer_step(GRPO, questions[0], COMPLETIONS, base)


def test_rewards_and_advantages_by_hand(step):
    assert step.rewards == [2, 1, 1, 2, 0]
    deviation = ((2 * 0.8**2 + 2 * 0.2**2 + 1.2**2) / 4) ** 0.5
    want = [(reward - 1.2) / (deviation + 1e-4) for reward in step.rewards]
    assert step.advantages == pytest.approx(want, abs=1e-5)


def test_loss_and_gradient_by_hand(step, questions):
    assert len(step.tokens[0]) > len(step.tokens[4]), "the lengths must differ to show the mean over tokens"
    losses = []
    for tokens, advantage in zip(step.tokens, step.advantages, strict=True):
        now = one_step.token_log_probabilities(step.model, step.processor, questions[0], tokens, GRPO.temperature)
        assert now.shape == (len(tokens),)
        losses.append(-(advantage * (now - now.detach()).exp()).mean())
    step.model.zero_grad()
    loss = sum(losses) / len(losses)
    loss.backward()
    ours = one_step.gradient_of(step.model)
    assert loss.item() == pytest.approx(step.loss, abs=1e-5)
    assert set(ours) == set(step.gradient)
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, step.gradient[name], rtol=1e-3, atol=1e-6, msg=name)
    assert one_step.gradient_norm(ours) == pytest.approx(one_step.gradient_norm(step.gradient), rel=1e-3)
    assert one_step.gradient_norm(ours) > 1e-3


def test_a_completion_ends_where_there_is_room(step):
    end = step.processor.tokenizer.eos_token_id
    short, long = one_step.completion_tokens(step.processor, ["It is", "It is there. " * 9], 6)
    assert short[-1] == end
    assert len(long) == 6
    assert end not in long
