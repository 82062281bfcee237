"""Maps of attention, compared with written positions and drawn; the maps themselves are invented here."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image
from synthetic_study import UNTRUSTED, study

from robotr1.report import gaze

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
    found = gaze.written_position(text)
    assert (found and text[found]) == words


@pytest.fixture
def question(tmp_path, monkeypatch):
    """A question whose picture exists and whose camera puts x to the right and y down, in halves of the picture."""
    asked = next(iter(study().questions.values()))
    image = tmp_path / "episode0/front_rgb/0.png"
    image.parent.mkdir(parents=True)
    Image.new("RGB", (40, 40), (90, 90, 90)).save(image)

    class Recording:
        def project(self, points):
            return 40 * points[:, :2]

    monkeypatch.setattr(gaze, "read_episode", lambda folder: Recording())
    return replace(asked, image=str(image))


def maps(peak, share=0.5, size=4):
    """[2 layers, 3 heads, size, size] with most at the patch `peak` (row, column)."""
    grid = np.full((2, 3, size, size), share / 2 / (size * size - 1))
    grid[:, :, *peak] = share / 2
    return grid


def test_a_hit_is_a_peak_on_the_patch_of_the_written_position(question):
    text = "<think> The cup is at [0.3, 0.8, 1]. </think>"  # column 1 of 4, row 3 of 4
    assert gaze.look(question, text, maps((3, 1))).place == pytest.approx((0.3, 0.8))
    assert gaze.look(question, text, maps((3, 1))).hit is True
    assert gaze.look(question, text, maps((1, 3))).hit is False
    assert gaze.look(question, text, maps((3, 1))).map.sum() == pytest.approx(0.5)


@pytest.mark.parametrize("position", ["1.3, 0.8, 1", "-0.1, 0.2, 1", "1.2.3, 0.2, 1"])
def test_positions_outside_the_picture_are_neither_hit_nor_miss(question, position):
    assert gaze.look(question, f"<think> [{position}] </think>", maps((0, 0))).hit is None


def test_no_recording_no_place():
    asked = next(iter(study().questions.values()))  # its picture does not exist
    assert gaze.look(asked, TEXT, maps((0, 0))).place is None


def test_the_same_random_questions_for_all_with_a_position_in_every_answer():
    results, policies = study(), ["base", "grpo-seed0"]
    rows = gaze.both_answered(results, policies, 5)
    assert len(rows) == 5
    for row in rows:
        assert [p.policy for p in row] == policies
        assert len({p.id for p in row}) == 1
        assert all(gaze.written_position(p.completion) for p in row)
        assert row[0].split != "validation"
    assert rows == gaze.both_answered(results, policies, 5)


def test_the_table_puts_maps_beside_blank_images(question):
    results = study()
    text = "<think> [0.3, 0.8, 1] </think>"
    looks = {
        "base": [gaze.look(question, text, maps(peak, share=0.4)) for peak in ((3, 1), (0, 0), (2, 2), (3, 1))],
        "grpo-seed0": [gaze.look(question, text, maps((3, 1), share=0.2))],
    }
    table = gaze.attention_table(results, looks).set_index("policy")
    assert table.loc["base", "attention to the image"] == 40.0
    assert table.loc["base", "peak on the written place"] == 50.0
    assert table.loc["GRPO", "peak on the written place"] == 100.0
    assert table.loc["base", "a random patch on it"] == pytest.approx(6.2, abs=0.06)
    told = results.accuracy.query("policy == 'grpo-seed0-blank' and split == 'test_in' and type == 'all'")
    assert table.loc["GRPO", "right, blank image"] == pytest.approx(100 * told["accuracy"].item(), abs=0.06)


def test_nothing_to_look_at_makes_no_table_and_no_figure(tmp_path):
    assert gaze.attention_table(study(), {}).empty
    assert np.isnan(gaze.attention_table(study(), {"base": []})["attention to the image"].item())
    assert gaze.write_attention({}, tmp_path) == {}


def test_the_figure_has_a_picture_a_map_and_a_cross_in_every_cell(question, tmp_path):
    looks = {
        "base": [gaze.look(question, text, maps((3, 1))) for text in ("<think> [0.3, 0.8, 1] </think>", UNTRUSTED)],
        "grpo-seed0": [gaze.look(question, TEXT, maps((1, 3)))] * 2,
    }
    figure = gaze.attention(looks)
    axes = figure.axes
    assert len(axes) == 4
    assert all(len(axis.images) == 2 for axis in axes)
    assert [len(axis.lines) for axis in axes] == [2, 0, 2, 2]
    figure.canvas.draw()
    plt.close(figure)
    assert gaze.write_attention(looks, tmp_path)["attention"].stat().st_size > 1000
    assert gaze.attention({}) is None
    assert gaze.attention({"base": []}) is None
