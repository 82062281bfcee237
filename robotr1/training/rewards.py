"""Rule-based rewards with TRL's signature: `reward(completions, **columns) -> list[float]`.

`completions` holds plain strings or TRL's message lists; `columns` are the data set's columns, one value per
completion, and `answer` is the one with the truth. Every reward lies in [0, 1] and never raises on what a model may
write, however long.
"""

import re
from collections.abc import Sequence
from typing import Any

from robotr1.questions.answers import is_formatted, is_open_formatted, parse_answer, parse_state, thought
from robotr1.questions.forms.plans import agreement, plan_format, plan_order
from robotr1.questions.states import state_distance
from robotr1.questions.thoughts import letters_written

Completion = str | list[dict[str, Any]]

PLAN_FORMAT_WEIGHT, PLAN_ORDER_WEIGHT = 0.2, 0.8  # RoboGPT-R1


def text(completion: Completion) -> str:
    """The text of a completion: a string as it is, or the last message's content of a message list."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def format_reward(completions: Sequence[Completion], **columns: Any) -> list[float]:
    """1 for the form `<think> … </think> <answer> [[A]] </answer>` and nothing else, 0 otherwise (paper §3.3, r_f)."""
    return [float(is_formatted(text(completion))) for completion in completions]


def accuracy_reward(completions: Sequence[Completion], answer: Sequence[str], **columns: Any) -> list[float]:
    """1 where the one letter inside <answer> is exactly the column `answer`, 0 otherwise (paper §3.3, r_a).

    With TRL's `log_metric` and a column `type`, the mean for each question type is logged as "accuracy/<type>".
    """
    rewards = [float(parse_answer(text(c)) == letter) for c, letter in zip(completions, answer, strict=True)]
    if "log_metric" in columns and "type" in columns:
        for kind in sorted(set(columns["type"])):
            own = [reward for reward, other in zip(rewards, columns["type"], strict=True) if other == kind]
            columns["log_metric"](f"accuracy/{kind}", sum(own) / len(own))
    return rewards


def consistency_reward(
    completions: Sequence[Completion], options: Sequence[Sequence[str]], type: Sequence[str], **columns: Any
) -> list[float]:
    """1 where the letter inside <answer> is one that the thought speaks for (`thoughts.letters_written`), 0 otherwise.

    Not in the paper, which rewards the letter alone and leaves the words free. Whether place and letter are right
    does not matter here; a thought without place or movement earns nothing.
    """
    rewards = []
    for completion, choices, kind in zip(completions, options, type, strict=True):
        letter = parse_answer(text(completion))
        written = letters_written(kind, choices, thought(text(completion)))
        rewards.append(float(bool(letter and written and letter in written)))
    return rewards


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
    as the paper's Figure 13 computes it; `states.state_distance` says what it is for extended states. The truth is the
    column `target` where the data set has one (a multiple-choice question has a letter in `answer`), else `answer`.
    """
    truths = answer if target is None else target
    if truths is None:
        raise TypeError("state_reward needs the true states in the column `answer` (or `target`)")
    rewards = []
    for completion, truth in zip(completions, truths, strict=True):
        state = parse_state(text(completion), len(truth))
        rewards.append(0.0 if state is None else max(0.0, 1.0 - state_distance(state, truth)))
    return rewards


def plan_format_reward(
    completions: Sequence[Completion], actions: Sequence[Sequence[str]], **columns: Any
) -> list[float]:
    """RoboGPT-R1's R_format: 0.3 sections + 0.3 types + 0.4 validity; `actions` are the names that ids stand for."""
    return [plan_format(text(completion), names) for completion, names in zip(completions, actions, strict=True)]


def plan_order_reward(
    completions: Sequence[Completion], answer: Sequence[Sequence[int]], actions: Sequence[Sequence[str]], **columns: Any
) -> list[float]:
    """RoboGPT-R1's R_lcs: the listed actions against the column `answer` (ids), longest common subsequence."""
    rows = zip(completions, answer, actions, strict=True)
    return [plan_order(text(completion), truth, names) for completion, truth, names in rows]


def planning_reward(
    completions: Sequence[Completion], answer: Sequence[Sequence[int]], actions: Sequence[Sequence[str]], **columns: Any
) -> list[float]:
    """RoboGPT-R1's whole reward (arXiv 2510.14828): 0.2 R_format + 0.8 R_lcs."""
    form, order = plan_format_reward(completions, actions), plan_order_reward(completions, answer, actions)
    return [PLAN_FORMAT_WEIGHT * f + PLAN_ORDER_WEIGHT * o for f, o in zip(form, order, strict=True)]


def sequence_reward(
    completions: Sequence[Completion],
    answer: Sequence[Sequence[str]] | None = None,
    *,
    sequence: Sequence[Sequence[str]] | None = None,
    **columns: Any,
) -> list[float]:
    """Longest common subsequence of the written steps and the true ones, over the longer of the two.

    R_lcs for plans written as plain text, without ids and sections: the numbered or separate lines of the answer,
    compared without case, numbering and punctuation at the end. The truth is the column `sequence` or `answer`.
    """
    truths = answer if sequence is None else sequence
    if truths is None:
        raise TypeError("sequence_reward needs the true steps in the column `answer` (or `sequence`)")
    rewards = []
    for completion, truth in zip(completions, truths, strict=True):
        written, wanted = plan_steps(answer_part(text(completion))), [normal_step(step) for step in truth]
        rewards.append(agreement(written, wanted))
    return rewards


def answer_part(completion: str) -> str:
    """What stands inside <answer>, or the whole text where there is not exactly one such pair."""
    before, opening, rest = completion.partition("<answer>")
    inside, closing, after = rest.partition("</answer>")
    alone = opening and closing and not any(tag in after for tag in ("<answer>", "</answer>"))
    return inside if alone else completion


def plan_steps(answer: str) -> list[str]:
    """Steps of a plan: one a line, or numbered ("1. … 2. …") within a line."""
    pieces = re.split(r"\n|(?:^|\s)\d+[.)]\s", answer)
    return [step for piece in pieces if (step := normal_step(piece))]


def normal_step(step: str) -> str:
    return " ".join(re.sub(r"^\s*(?:\d+[.)]|[-*])\s*", "", step).lower().split()).rstrip(".;,")


# What a data set of each form is rewarded with: the form first, then what it says.
REWARDS = {
    "mcqa": (format_reward, accuracy_reward),
    "open": (open_format_reward, state_reward),
    "planning": (plan_format_reward, plan_order_reward),
}
