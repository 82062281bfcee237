"""The attention section: the drawn questions, the table beside blank images, and the figure."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from synthetic_study import UNTRUSTED, results

from robotr1.report.contents import write_figures
from robotr1.report.sections.attention import answered_by_all, attention_table, draw_attention
from robotr1.report.sections.attention_maps import AttentionMap, written_position

TEXT = "<think> The cup is at [0.3, 0.8, 1]. </think> <answer> [[A]] </answer>"


def one_map(peak, share=0.5, pixel=(0.3, 0.8), text=TEXT):
    """A map of 4 x 4 patches with most attention at `peak` (row, column); `pixel` lies in row 3, column 1."""
    weights = np.full((2, 3, 4, 4), share / 2 / 15)
    weights[:, :, *peak] = share / 2
    return AttentionMap(next(iter(results().study.questions.values())), text, weights, pixel)


def with_maps(**maps):
    return replace(results(), attention={name.replace("_", "-"): found for name, found in maps.items()})


def test_all_policies_answer_the_same_random_questions_with_a_position():
    policies = ["base", "grpo-seed0"]
    rows = answered_by_all(results(), policies, 5)
    assert len(rows) == 5
    for row in rows:
        assert [p.policy for p in row] == policies
        assert len({p.id for p in row}) == 1
        assert all(written_position(p.completion) for p in row)
        assert row[0].split != "validation"
    assert rows == answered_by_all(results(), policies, 5)


def test_the_table_has_maps_beside_blank_images():
    base = [one_map(peak, share=0.4) for peak in ((3, 1), (0, 0), (2, 2), (3, 1))]
    found = with_maps(base=base, grpo_seed0=[one_map((3, 1), share=0.2)])
    table = attention_table(found).set_index("policy")
    assert table.loc["base", "attention to the image"] == 40.0
    assert table.loc["base", "peak on the written place"] == 50.0
    assert table.loc["GRPO", "peak on the written place"] == 100.0
    assert table.loc["base", "a random patch on it"] == pytest.approx(6.2, abs=0.06)
    told = found.accuracy.query("policy == 'grpo-seed0-blank' and split == 'test_in' and type == 'all'")
    assert table.loc["GRPO", "right, blank image"] == pytest.approx(100 * told["accuracy"].item(), abs=0.06)


def test_without_maps_there_is_no_table_and_no_figure():
    assert attention_table(results()).empty
    assert np.isnan(attention_table(with_maps(base=[]))["attention to the image"].item())
    assert draw_attention(results()) is None
    assert draw_attention(with_maps(base=[])) is None


def test_the_figure_has_an_image_a_map_and_a_cross_in_every_cell(tmp_path):
    base = [one_map((3, 1)), one_map((3, 1), pixel=None, text=UNTRUSTED)]
    found = with_maps(base=base, grpo_seed0=[one_map((1, 3))] * 2)
    figure = draw_attention(found)
    assert len(figure.axes) == 4
    assert all(len(axis.images) == 2 for axis in figure.axes)
    assert [len(axis.lines) for axis in figure.axes] == [2, 0, 2, 2]
    figure.canvas.draw()
    plt.close(figure)
    assert write_figures(found, tmp_path)["attention"].stat().st_size > 1000
