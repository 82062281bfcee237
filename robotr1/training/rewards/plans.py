"""Rewards of planning questions: RoboGPT-R1's format and action order (arXiv 2510.14828).

RoboGPT-R1 weighs them 0.2 and 0.8 (`format_weight` and `accuracy_weight`).
"""

from collections.abc import Sequence
from typing import Any

from robotr1.questions.forms.plans import plan_format, plan_order
from robotr1.training.rewards.completion import Completion, text


def plan_format_reward(
    completions: Sequence[Completion], actions: Sequence[Sequence[str]], **columns: Any
) -> list[float]:
    """R_format: 0.3 sections + 0.3 types + 0.4 validity.

    The column `actions` holds the action names; an action's id is its index.
    """
    return [plan_format(text(completion), names) for completion, names in zip(completions, actions, strict=True)]


def plan_order_reward(
    completions: Sequence[Completion], answer: Sequence[Sequence[int]], actions: Sequence[Sequence[str]], **columns: Any
) -> list[float]:
    """R_lcs: the longest common subsequence of the listed actions and the column `answer` (ids), normalised."""
    rows = zip(completions, answer, actions, strict=True)
    return [plan_order(text(completion), truth, names) for completion, truth, names in rows]
