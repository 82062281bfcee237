"""Rewards of multiple-choice questions: the answer form, the letter, and a thought that fits the letter."""

from collections.abc import Sequence
from typing import Any

from robotr1.questions.answers import is_formatted, parse_answer, thought
from robotr1.questions.thoughts import letters_written
from robotr1.training.rewards.completion import Completion, text


def format_reward(completions: Sequence[Completion], **columns: Any) -> list[float]:
    """1 for the form `<think> … </think> <answer> [[A]] </answer>` and nothing else, 0 otherwise (paper §3.3, r_f)."""
    return [float(is_formatted(text(completion))) for completion in completions]


def accuracy_reward(completions: Sequence[Completion], answer: Sequence[str], **columns: Any) -> list[float]:
    """1 where the one letter inside <answer> is exactly the column `answer`, 0 otherwise (paper §3.3, r_a).

    With TRL's `log_metric` and a column `type`, the mean for each question type is logged as "accuracy/<type>".
    """
    rewards = [float(parse_answer(text(c)) == letter) for c, letter in zip(completions, answer, strict=True)]
    if "log_metric" in columns and "type" in columns:
        for question_type in sorted(set(columns["type"])):
            own = [reward for reward, other in zip(rewards, columns["type"], strict=True) if other == question_type]
            columns["log_metric"](f"accuracy/{question_type}", sum(own) / len(own))
    return rewards


def consistency_reward(
    completions: Sequence[Completion], options: Sequence[Sequence[str]], type: Sequence[str], **columns: Any
) -> list[float]:
    """1 where the letter inside <answer> is one that fits the thought best (`thoughts.letters_written`), 0 otherwise.

    Not in the paper, which rewards the letter alone. The columns are `options` (texts) and `type`. The position and
    the letter need not be right, only to agree. A thought without position or movement gets 0.
    """
    rewards = []
    for completion, choices, question_type in zip(completions, options, type, strict=True):
        letter = parse_answer(text(completion))
        written = letters_written(question_type, choices, thought(text(completion)))
        rewards.append(float(bool(letter and written and letter in written)))
    return rewards
