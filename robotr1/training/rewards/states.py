"""Rewards of open questions, whose answer is a written state."""

from collections.abc import Sequence
from typing import Any

from robotr1.questions.answers import is_open_formatted, parse_state
from robotr1.questions.states import state_distance
from robotr1.training.rewards.completion import Completion, text


def open_format_reward(
    completions: Sequence[Completion], answer: Sequence[Sequence[float]], **columns: Any
) -> list[float]:
    """1 for the form `<think> … </think> <answer> [x, y, z] </answer>` and nothing else, 0 otherwise.

    The answer must hold as many numbers as the true state in the column `answer`.
    """
    return [float(is_open_formatted(text(c), len(truth))) for c, truth in zip(completions, answer, strict=True)]


def state_reward(
    completions: Sequence[Completion],
    answer: Sequence[Sequence[float]] | None = None,
    *,
    target: Sequence[Sequence[float]] | None = None,
    **columns: Any,
) -> list[float]:
    """clip(1 - L1, 0, 1) between the written state and the true one; 0 without a state of the same size.

    The open-ended ablation's reward (paper Table 9). L1 is the *sum* of absolute differences over the axes in metres,
    as in the paper's Figure 13; `states.state_distance` defines it for extended states. The truth is the column
    `target` where the data set has one (a multiple-choice question has a letter in `answer`), else `answer`.

    Raises TypeError where neither column is there.
    """
    truths = answer if target is None else target
    if truths is None:
        raise TypeError("state_reward needs the true states in the column `answer` (or `target`)")
    rewards = []
    for completion, truth in zip(completions, truths, strict=True):
        state = parse_state(text(completion), len(truth))
        rewards.append(0.0 if state is None else max(0.0, 1.0 - state_distance(state, truth)))
    return rewards
