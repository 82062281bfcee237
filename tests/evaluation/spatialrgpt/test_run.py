"""The committed questions of SpatialRGPT-Bench's form as an exam: drawn evenly, shown with their regions, counted."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from robotr1 import paths
from robotr1.evaluation.spatialrgpt import run as spatial_exam
from robotr1.evaluation.spatialrgpt.scoring import COLUMNS

ALL = spatial_exam.read_set(10_000)


@pytest.mark.parametrize(("most", "each"), [(0, {0}), (12, {1}), (60, {5}), (30, {2, 3}), (180, {15})])
def test_questions_are_drawn_evenly_from_the_columns(most, each):
    drawn = spatial_exam.read_set(most)
    counts = Counter(item.column for item in drawn)
    assert len(drawn) == most
    assert {counts[column] for column in COLUMNS} == each
    assert [item for item in ALL if item in drawn] == drawn


def test_regions_are_in_the_picture_that_is_shown():
    with spatial_exam.marked([ALL[0], replace(ALL[1], image="nowhere.png")]) as shown:
        seen = np.asarray(Image.open(shown[0].image)).astype(int)
        plain = np.asarray(Image.open(paths.ROOT / ALL[0].image).convert("RGB")).astype(int)
        changed = np.abs(seen - plain).sum(axis=2) > 0
        x1, y1, x2, _ = map(int, ALL[0].boxes[0])
        assert changed[y1, x1:x2].all()
        assert changed.mean() < 0.1
        assert not (paths.ROOT / shown[1].image).exists()
        assert [replace(item, image="") for item in shown] == [replace(item, image="") for item in (ALL[0], ALL[1])]


def test_controls_and_a_silent_policy():
    items = spatial_exam.read_set(60)
    rows = spatial_exam.controls(items, ALL, 0) + spatial_exam.score("silent", items, [None] * len(items))
    table = spatial_exam.summarize(rows).set_index(["policy", "column"])
    assert {policy for policy, _ in table.index} == {*spatial_exam.CONTROLS, "silent"}
    assert (table.loc["oracle"]["accuracy"] == 100).all()
    for average in ("quantitative", "qualitative"):
        assert table.loc[("random", average), "accuracy"] < 80
        assert table.loc[("silent", average), "accuracy"] == 0
        assert table.loc[("silent", average), "unreadable"] == table.loc[("silent", average), "questions"] == 30
    assert spatial_exam.summarize(spatial_exam.controls([], ALL, 0)).empty
    assert list(spatial_exam.summarize([]).columns) == list(spatial_exam.SUMMARY)
