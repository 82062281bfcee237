"""The tolerance: small differences of images and numbers are similar, others are not."""

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from robotr1.report.reproduction.tolerance import similar, similar_images, similar_thumbnails, thumbnail

IMAGE = np.random.default_rng(0).integers(20, 235, (32, 32, 3), np.uint8)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def shifted(levels, share=1.0):
    """The image with `levels` added to the first `share` of its values."""
    flat = IMAGE.reshape(-1).astype(int)
    flat[: round(share * flat.size)] += levels
    return flat.reshape(IMAGE.shape).astype(np.uint8)


@pytest.mark.parametrize(
    ("levels", "share", "verdict"),
    [(0, 1, True), (1, 1, True), (2, 1, False), (20, 0.005, True), (20, 0.02, False), (-1, 1, True)],
)
def test_images_differ_by_levels(levels, share, verdict):
    assert similar_images(IMAGE, shifted(levels, share)) == verdict
    assert similar(png(IMAGE), png(shifted(levels, share)), ".png") == verdict


def test_images_of_another_size_are_different():
    assert not similar_images(IMAGE, IMAGE[:-1])


@pytest.mark.parametrize(
    ("before", "today", "verdict"),
    [
        ({"a": 0.5}, {"a": 0.5 + 1e-9}, True),
        ({"a": 0.5}, {"a": 0.51}, False),
        ({"a": 3}, {"a": 4}, False),
        ({"a": 0.5}, {"b": 0.5}, False),
        ([1.0, 2.0], [1.0], False),
        ({"a": "0.5"}, {"a": "0.50"}, False),
        ({"a": None}, {"a": 0.0}, False),
    ],
)
def test_numbers_differ_relatively_and_texts_not_at_all(before, today, verdict):
    assert similar(json.dumps(before).encode(), json.dumps(today).encode(), ".json") == verdict


@pytest.mark.parametrize(("levels", "verdict"), [(1, True), (9, False)])
def test_images_in_notebooks_are_compared_by_pixel(levels, verdict):
    def notebook(pixels):
        data = {"image/png": base64.b64encode(png(pixels)).decode()}
        return json.dumps({"cells": [{"outputs": [{"data": data}]}]}).encode()

    assert similar(notebook(IMAGE), notebook(shifted(levels)), ".ipynb") == verdict


def test_csv_cells_are_compared_as_numbers():
    assert similar(b"a,b\nx,0.1\ny,\n", b"a,b\nx,0.10000000001\ny,\n", ".csv")
    assert not similar(b"a,b\nx,0.1\n", b"a,b\nx,0.2\n", ".csv")
    assert not similar(b"a,b\nx,0.1\n", b"a,c\nx,0.1\n", ".csv")


@given(st.binary(), st.binary(), st.sampled_from([".png", ".json", ".ipynb", ".csv", ".jsonl", ".svg"]))
def test_damaged_files_are_similar_to_nothing_but_themselves(before, today, suffix):
    assert similar(before, before, suffix)
    assert similar(b"\x00broken" + before, b"\x01broken" + today, suffix) is False


def test_thumbnails_keep_the_tolerance(tmp_path):
    for name, pixels in {"a": IMAGE, "b": shifted(1), "c": shifted(30)}.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    one, near, far = (thumbnail(tmp_path / f"{name}.png") for name in "abc")
    assert len(one) == 2 * 8 * 8 * 3
    assert similar_thumbnails(one, near)
    assert not similar_thumbnails(one, far)
