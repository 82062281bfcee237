"""Parse and score trajectories: `<think> … </think> <answer> [[x, y], [x, y], …] </answer>`, 3 to 10 pixels.

The form of ManipLVM-R1 (arXiv 2505.16517): the pixels that the gripper passes until the next keyframe.
"""

import math
import re
from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from robotr1.questions.answers import NUMBER, answer_body, sole_answer

FEWEST, MOST = 3, 10  # points
SAMPLES = 16  # points along each path for the RMSE

Path = Sequence[Sequence[float]]  # points (x, y)

_POINT = rf"\[{NUMBER},{NUMBER}\]"
_PATH = re.compile(rf"\s*\[\s*{_POINT}(?:\s*,\s*{_POINT}){{{FEWEST - 1},{MOST - 1}}}\s*\]\s*")
_NUMBERS = re.compile(NUMBER)


def parse_path(completion: str) -> list[tuple[float, float]] | None:
    """The points inside the one <answer>, or None. Takes time linear in the text and raises nothing."""
    body = answer_body(completion) or ""
    if not _PATH.fullmatch(body):
        return None
    numbers = [float(number) for number in _NUMBERS.findall(body)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def is_path_formatted(completion: str) -> bool:
    """Whether the whole completion is one thought, not empty, and one answer with 3 to 10 points."""
    return bool(_PATH.fullmatch(sole_answer(completion) or ""))


def path_distances(one: Path, other: Path) -> dict[str, float]:
    """Distances between two paths in pixels: discrete Fréchet, Hausdorff (both between their points) and RMSE.

    The RMSE compares `SAMPLES` points at equal shares of each path's length, so the numbers of points may differ.
    """
    gaps = cdist(one, other)
    return {
        "frechet": _frechet(gaps),
        "hausdorff": float(max(gaps.min(axis=0).max(), gaps.min(axis=1).max())),
        "rmse": float(np.sqrt(np.mean(np.sum((_resampled(one) - _resampled(other)) ** 2, axis=1)))),
    }


def end_distance(one: Path, other: Path) -> float:
    """Distance between the last points in pixels."""
    return math.dist(one[-1], other[-1])


def _frechet(gaps: np.ndarray) -> float:
    """The discrete Fréchet distance from the distances [n, m] between points (Eiter and Mannila 1994).

    Shapely's function is not exact (GEOS 3.14: too large for about one random pair of paths in a hundred).
    """
    reach = np.full(np.add(gaps.shape, 1), np.inf)
    reach[0, 0] = 0
    for i, j in np.ndindex(*gaps.shape):
        reach[i + 1, j + 1] = max(gaps[i, j], min(reach[i, j], reach[i, j + 1], reach[i + 1, j]))
    return float(reach[-1, -1])


def _resampled(path: Path) -> np.ndarray:
    points = np.asarray(path, dtype=np.float64)
    lengths = np.r_[0.0, np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()]
    shares = np.linspace(0, lengths[-1], SAMPLES)
    return np.stack([np.interp(shares, lengths, points[:, axis]) for axis in (0, 1)], axis=1)
