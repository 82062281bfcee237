"""Rule-based rewards with TRL's signature: `reward(completions, **columns) -> list[float]`.

`completions` holds plain strings or TRL's message lists; `columns` are the data set's columns, one value per
completion. Every reward lies in [0, 1] and never raises on what a model may write.
"""

import re
from collections.abc import Sequence
from typing import Any

from robotr1.questions.answers import is_formatted, parse_answer, parse_state

Completion = str | list[dict[str, Any]]


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


def state_reward(completions: Sequence[Completion], target: Sequence[Sequence[float]], **columns: Any) -> list[float]:
    """clip(1 - L1, 0, 1) between the written state and the column `target` in metres; 0 without a state.

    The open-ended ablation's reward (paper Table 9). L1 is the *sum* of absolute differences over the axes, as the
    paper's Figure 13 computes it.
    """
    rewards = []
    for completion, truth in zip(completions, target, strict=True):
        state = parse_state(answer_part(text(completion)))
        distance = float("inf") if state is None else sum(abs(a - b) for a, b in zip(state, truth, strict=True))
        rewards.append(max(0.0, 1.0 - distance))
    return rewards


def sequence_reward(
    completions: Sequence[Completion], sequence: Sequence[Sequence[str]], **columns: Any
) -> list[float]:
    """Longest common subsequence of the written steps and the column `sequence`, over the longer of the two.

    RoboGPT-R1's plan reward (arXiv 2510.14828: R_lcs). Its code is not public; dividing by the longer sequence is the
    choice made here, so that neither leaving steps out nor adding steps pays. Steps are the numbered or separate lines
    of the answer, compared without case, numbering and punctuation at the end.
    """
    rewards = []
    for completion, truth in zip(completions, sequence, strict=True):
        written, wanted = plan_steps(answer_part(text(completion))), [normal_step(step) for step in truth]
        longest = max(len(written), len(wanted))
        rewards.append(common_subsequence(written, wanted) / longest if longest else 0.0)
    return rewards


def answer_part(completion: str) -> str:
    """What stands inside <answer>, or the whole text where there is no such pair."""
    found = re.findall(r"<answer>(.*?)</answer>", completion, re.DOTALL)
    return found[0] if len(found) == 1 else completion


def plan_steps(answer: str) -> list[str]:
    """Steps of a plan: one a line, or numbered ("1. … 2. …") within a line."""
    pieces = re.split(r"\n|(?:^|\s)\d+[.)]\s", answer)
    return [step for piece in pieces if (step := normal_step(piece))]


def normal_step(step: str) -> str:
    return " ".join(re.sub(r"^\s*(?:\d+[.)]|[-*])\s*", "", step).lower().split()).rstrip(".;,")


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for item in a:
        diagonal = 0
        for j, other in enumerate(b, start=1):
            diagonal, row[j] = row[j], diagonal + 1 if item == other else max(row[j], row[j - 1])
    return row[-1]
