"""Rewards of progress questions (SOLE-R1): the format, the order of two frames, and the progress in the right one."""

from collections.abc import Sequence
from typing import Any

from robotr1.questions.forms.progress import is_progress_formatted, parse_progress
from robotr1.training.rewards.completion import Completion, text


def progress_format_reward(completions: Sequence[Completion], **columns: Any) -> list[float]:
    """1 for the form `<think> … </think> <answer> right, 40 % </answer>` and nothing else, 0 otherwise."""
    return [float(is_progress_formatted(text(completion))) for completion in completions]


def progress_reward(
    completions: Sequence[Completion], later: Sequence[str], progress: Sequence[float], **columns: Any
) -> list[float]:
    """The mean of two terms: 1 for the right order, and 1 - |error| of the progress as a share; 0 without an answer.

    Columns: `later`, the side of the later frame ("left" or "right"); `progress` in the right frame, 0 to 100 %.
    """
    rewards = []
    for completion, side, truth in zip(completions, later, progress, strict=True):
        answer = parse_progress(text(completion))
        if answer is None:
            rewards.append(0.0)
            continue
        rewards.append((float(answer[0] == side) + 1 - abs(answer[1] - truth) / 100) / 2)
    return rewards
