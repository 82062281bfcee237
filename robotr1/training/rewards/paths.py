"""Rewards of trajectory questions (ManipLVM-R1, arXiv 2505.16517): the format, the path, and its end point."""

import math
from collections.abc import Sequence
from typing import Any

from robotr1.questions.forms.pixel_paths import Path, end_distance, is_path_formatted, parse_path, path_distances
from robotr1.training.rewards.completion import Completion, text

END_DECAY = 10.0  # k of exp(-k d), with d in image diagonals: a tenth of the diagonal gives 0.37


def path_format_reward(completions: Sequence[Completion], **columns: Any) -> list[float]:
    """1 for the form `<think> … </think> <answer> [[x, y], …] </answer>` with 3 to 10 points, 0 otherwise."""
    return [float(is_path_formatted(text(completion))) for completion in completions]


def path_reward(
    completions: Sequence[Completion], answer: Sequence[Path], size: Sequence[Sequence[int]], **columns: Any
) -> list[float]:
    """The mean of a path term and an end-point term, each in [0, 1]; 0 without a path.

    After ManipLVM-R1's Trajectory Match Reward: R_format, a path term of discrete Fréchet distance, Hausdorff distance
    and RMSE, and exp(-k d) of the end-point distance d. Its weights, scale and k are unknown. Here the path term is
    1 - mean(distances), not below 0, and all distances are in diagonals of the image.

    Columns: `answer`, the true points (x, y) in pixels; `size`, the image's width and height in pixels.
    """
    rewards = []
    for completion, truth, (width, height) in zip(completions, answer, size, strict=True):
        path = parse_path(text(completion))
        if path is None:
            rewards.append(0.0)
            continue
        diagonal = math.hypot(width, height)
        distances = path_distances(path, truth).values()
        match = max(0.0, 1 - sum(distances) / len(distances) / diagonal)
        rewards.append((match + math.exp(-END_DECAY * end_distance(path, truth) / diagonal)) / 2)
    return rewards
