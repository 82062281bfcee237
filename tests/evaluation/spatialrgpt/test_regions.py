"""Regions are drawn into the images that policies see."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from robotr1 import paths
from robotr1.evaluation.spatialrgpt.items import read_items
from robotr1.evaluation.spatialrgpt.regions import draw_regions, with_regions

ALL = read_items()


def test_the_shown_image_has_its_regions():
    with with_regions([ALL[0], replace(ALL[1], image="nowhere.png")]) as shown:
        seen = np.asarray(Image.open(shown[0].image)).astype(int)
        plain = np.asarray(Image.open(paths.ROOT / ALL[0].image).convert("RGB")).astype(int)
        changed = np.abs(seen - plain).sum(axis=2) > 0
        x1, y1, x2, _ = map(int, ALL[0].boxes[0])
        assert changed[y1, x1:x2].all()
        assert changed.mean() < 0.1
        assert not (paths.ROOT / shown[1].image).exists()
        assert [replace(item, image="") for item in shown] == [replace(item, image="") for item in (ALL[0], ALL[1])]


def test_images_can_start_from_another_folder(tmp_path):
    Image.new("RGB", (60, 40)).save(tmp_path / "a.png")
    with with_regions([replace(ALL[0], image="a.png", boxes=((5, 5, 30, 30),))], tmp_path) as shown:
        assert Image.open(shown[0].image).size == (60, 40)


def test_regions_are_drawn_even_outside_the_image():
    image = Image.fromarray(np.zeros((40, 60, 3), dtype=np.uint8))
    marked = np.array(draw_regions(image, [(5, 5, 30, 30), (50, 30, 9000, -4)]))
    assert marked.any()
    assert tuple(marked[15, 5]) == (255, 0, 0)
    assert not np.array(image).any()


def test_a_broken_image_becomes_a_missing_one(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n no image")
    with with_regions([replace(ALL[0], image="a.png")], tmp_path) as shown:
        assert not Path(shown[0].image).exists()
