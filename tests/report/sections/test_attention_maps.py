"""Attention maps related to written positions; the maps themselves are invented here."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from synthetic_study import UNTRUSTED, results

from robotr1.report.sections import attention_maps
from robotr1.report.sections.attention_maps import attention_map, written_position

TEXT = "<think> The cup is at [0.25, 0.0, 0.8]. </think> <answer> [[A]] </answer>"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT, "0.25, 0.0, 0.8"),
        ("from [0.1, -0.2, 0.9, 0, 0, 0, 1] to [0.3, 0.2, 0.9]", "0.1, -0.2, 0.9, 0, 0, 0, 1"),
        ("<think> [0.1, 0.2] </think> <answer> [[A]] </answer>", None),
        (UNTRUSTED, None),
        ("[" * 100000 + "0.1, " * 100000, None),
    ],
)
def test_the_first_position_is_found_without_its_brackets(text, words):
    found = written_position(text)
    assert (found and text[found]) == words


@pytest.fixture
def question(tmp_path, monkeypatch):
    """A question whose image exists and whose camera maps x to the right and y down, as shares of the image."""
    asked = next(iter(results().study.questions.values()))
    image = tmp_path / "episode0/front_rgb/0.png"
    image.parent.mkdir(parents=True)
    Image.new("RGB", (40, 40), (90, 90, 90)).save(image)

    class Recording:
        def project(self, points):
            return 40 * points[:, :2]

    monkeypatch.setattr(attention_maps, "read_episode", lambda folder: Recording())
    return replace(asked, image=str(image))


def weights(peak, share=0.5, size=4):
    """[2 layers, 3 heads, size, size] with most attention at the patch `peak` (row, column)."""
    grid = np.full((2, 3, size, size), share / 2 / (size * size - 1))
    grid[:, :, *peak] = share / 2
    return grid


def test_a_hit_is_a_peak_on_the_patch_of_the_written_position(question):
    text = "<think> The cup is at [0.3, 0.8, 1]. </think>"  # column 1 of 4, row 3 of 4
    assert attention_map(question, text, weights((3, 1))).pixel == pytest.approx((0.3, 0.8))
    assert attention_map(question, text, weights((3, 1))).hit is True
    assert attention_map(question, text, weights((1, 3))).hit is False
    assert attention_map(question, text, weights((3, 1))).map.sum() == pytest.approx(0.5)


@pytest.mark.parametrize("position", ["1.3, 0.8, 1", "-0.1, 0.2, 1", "1.2.3, 0.2, 1"])
def test_positions_outside_the_image_are_neither_hit_nor_miss(question, position):
    assert attention_map(question, f"<think> [{position}] </think>", weights((0, 0))).hit is None


def test_without_a_recording_there_is_no_pixel():
    asked = next(iter(results().study.questions.values()))  # its image does not exist
    assert attention_map(asked, TEXT, weights((0, 0))).pixel is None
