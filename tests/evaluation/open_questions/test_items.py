"""The committed items are complete and can be read; a broken or repeated one is refused."""

import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from robotr1 import paths
from robotr1.evaluation import items
from robotr1.evaluation.items.frames import TRAINED, Frame
from robotr1.evaluation.open_questions.items import read_items
from robotr1.records import RecordError, read_records, write_records

ITEMS = read_items()


def test_the_committed_set_has_the_papers_numbers():
    assert Counter(item.ability for item in ITEMS) == {"spatial": 65, "planning": 50, "high_level": 50, "movement": 50}
    spatial = [item.distribution for item in ITEMS if item.ability == "spatial"]
    assert Counter(spatial) == {"in": 37, "out": 28}
    frames = {item.frame: item.task for item in ITEMS}
    assert set(Counter(frames.values()).values()) == {5}
    assert len(frames) == 50
    assert {item.task for item in ITEMS if item.distribution == "in"} == set(TRAINED)


def test_every_image_exists_and_has_the_recorded_pixels():
    frames = {frame.id: frame for frame in read_records(items.FOLDER / items.FRAMES, Frame)}
    assert {item.frame for item in ITEMS} == set(frames)
    for item in ITEMS:
        assert item.image == frames[item.frame].image
    for frame in frames.values():
        pixels = np.array(Image.open(paths.ROOT / frame.image))
        assert pixels.shape == (224, 224, 3)
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == frame.sha256


def test_no_prompt_contains_its_reference():
    for item in ITEMS:
        assert item.question in item.prompt
        if len(item.reference.split()) > 3:
            assert item.reference not in item.prompt


def test_a_corrected_item_is_read_and_a_repeated_id_refused(tmp_path):
    corrected = [replace(ITEMS[0], reference="Yes."), *ITEMS[1:3]]
    write_records(tmp_path / "items.jsonl", corrected)
    assert read_items(tmp_path / "items.jsonl") == corrected
    write_records(tmp_path / "items.jsonl", [ITEMS[0], ITEMS[0]])
    with pytest.raises(RecordError, match="occurs twice"):
        read_items(tmp_path / "items.jsonl")
