"""Attention maps: how much attention each patch of the image gets while a policy writes a position.

`robotr1.policies.attention` computes the maps; this module relates them to the written position, without torch.
"""

import re
from dataclasses import dataclass

import numpy as np

from robotr1 import paths
from robotr1.demos.episode import EpisodeError, read_episode
from robotr1.records import Question
from robotr1.report.style.figures import read_image

_POSITION = re.compile(r"\[(-?[0-9.]{1,9}(?:, ?-?[0-9.]{1,9}){2,6})\]")


@dataclass(frozen=True)
class AttentionMap:
    """The attention to the image patches during one completion, and the pixel of the position written there."""

    question: Question
    completion: str
    weights: np.ndarray  # [layers, heads, rows, columns], as `image_attention` returns them
    pixel: tuple[float, float] | None  # right and down, from 0 to 1; None outside the image or without a camera

    @property
    def map(self) -> np.ndarray:
        """[rows, columns]: the mean over layers and heads; its sum is the share of attention that the image gets."""
        return self.weights.mean(axis=(0, 1))

    @property
    def hit(self) -> bool | None:
        """Whether the patch with most attention holds the written position; None without a pixel."""
        if self.pixel is None:
            return None
        rows, columns = self.map.shape
        patch = int(self.pixel[1] * rows) * columns + int(self.pixel[0] * columns)
        return bool(self.map.argmax() == patch)


def written_position(completion: str) -> slice | None:
    """The characters of the first position, "0.14, 0.12, 0.81" without its brackets; None if there is none."""
    found = _POSITION.search(completion)
    return slice(*found.span(1)) if found else None


def attention_map(question: Question, completion: str, weights: np.ndarray) -> AttentionMap:
    """The map of one completion; the camera of the question's recording projects the first written position."""
    return AttentionMap(question, completion, weights, _pixel(question, completion))


def _pixel(question: Question, completion: str) -> tuple[float, float] | None:
    image, characters = paths.ROOT / question.image, written_position(completion)
    try:
        position = [float(number) for number in completion[characters].split(",")[:3]] if characters else []
        u, v = read_episode(image.parents[1]).project(np.array([position]))[0] / read_image(image).shape[1::-1]
    except (EpisodeError, ValueError):  # no camera, or no number such as "1.2.3"
        return None
    return (float(u), float(v)) if 0 <= u < 1 and 0 <= v < 1 else None
