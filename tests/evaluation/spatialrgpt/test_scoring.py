"""SpatialRGPT-Bench: the published form, reading answers, columns and averages, and the set made here."""

import json

import numpy as np
import pytest
from PIL import Image

from robotr1 import paths
from robotr1.evaluation.open_questions.scoring import ITEMS
from robotr1.evaluation.spatialrgpt.scoring import (
    COLUMNS,
    SpatialError,
    affirms,
    check_spatial_brackets,
    column_of,
    judge,
    mark_regions,
    random_level,
    read_spatial,
    score_spatial,
    spatial_controls,
    summarize_spatial,
)

OWN = read_spatial(ITEMS / "spatialrgpt.json")


def published(category, reference, **changes):
    return {
        "id": category,
        "image_info": {"file_path": "a.jpg", "width": 640, "height": 480},
        "text_q": "Is Region [0] behind Region [1]?",
        "qa_info": {"type": "qualitative", "category": category},
        "conversations": [
            {"from": "human", "value": "<image>\nIs <mask> behind <mask>?"},
            {"from": "gpt", "value": reference},
        ],
        "bbox": [[0, 30, 668, 767], [6, 292, 233, 432]],
        "rle": [{"size": [480, 640], "counts": "abc"}],
    } | changes


@pytest.fixture
def item(tmp_path):
    def make(category, reference):
        file = tmp_path / "bench.json"
        file.write_text(json.dumps([published(category, reference)]))
        return read_spatial(file)[0]

    return make


def test_both_published_forms_are_read(tmp_path):
    rows = [published("behind_predicate", "No."), published("width_data", "Region [0] is 6.91 feet wide.", id="x")]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, rows)))
    items = read_spatial(tmp_path / "list.json")
    assert items == read_spatial(tmp_path / "lines.jsonl")
    assert [i.column for i in items] == ["behind-front", "width"]
    assert items[0].boxes[1] == (6, 292, 233, 432)
    assert items[1].reference == "Region [0] is 6.91 feet wide."


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[{}]", json.dumps([published("beauty_choice", "No.")]), '[{"id": 1, "qa_info": null}]']
)
def test_another_form_is_an_error_with_its_place(tmp_path, text):
    (tmp_path / "bench.json").write_text(text or "[")
    with pytest.raises(SpatialError, match=r"bench.json"):
        read_spatial(tmp_path / "bench.json")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1.2 meters", True),
        ("It is 4 feet wide", True),  # 1.219 m
        ("125 cm", True),
        ("1.25 m", True),
        ("1.26 m", False),
        ("0.75 m", True),
        ("0.74 m", False),
        ("29.53 inches", True),
        ("3'3\"", True),
        ("about one", None),
        ("1.0", None),
        ("1 m or 5 m", None),
        ("", None),
        (None, None),
    ],
)
def test_quantities_within_a_quarter(item, answer, expected):
    assert judge(item("width_data", "The width of Region [0] is 1.0 meters."), answer) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("11 o'clock", True), ("1 o'clock", True), ("twelve o'clock", True), ("2 o'clock", False), ("left", None)],
)
def test_directions_within_an_hour(item, answer, expected):
    assert judge(item("direction", "Region [1] is around the 12 o'clock direction."), answer) is expected


@pytest.mark.parametrize(
    ("reference", "answer", "expected"),
    [
        ("No.", "No, it is in front", True),
        ("No.", "Yes", False),
        ("Incorrect, Region [0] is not smaller in size than Region [1].", "No, it is not.", True),
        ("Correct, Region [0] is behind Region [1].", "Region [0] is behind Region [1]", True),
        ("Actually, Region [0] might be bigger than Region [1].", "Region [0] isn't smaller than Region [1]", True),
        ("Yes, Region [0] is behind.", "No, not at all", False),
        ("Yes.", "yes or no", None),
        ("Yes.", "hm", None),
        ("Yes.", "", None),
    ],
)
def test_predicates(item, reference, answer, expected):
    assert judge(item("small_predicate", reference), answer) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Region [1]", True),
        ("region 1 is", True),
        ("[1]", True),
        ("Region [0] is left of Region [1]", False),
        ("?", None),
    ],
)
def test_choices(item, answer, expected):
    assert judge(item("left_choice", "Region [1] is more to the left."), answer) is expected


@pytest.mark.parametrize("category", ["width_data", "direction", "left_choice", "left_predicate"])
def test_an_unreadable_reference_is_an_error(item, category):
    with pytest.raises(SpatialError, match=category):
        judge(item(category, "hm"), "Region [0] is 1 m wide at 3 o'clock, yes")


def test_averages_are_weighted_by_questions():
    items = [i for i in OWN if i.column in ("width", "height")][:20]
    completions = [f"<answer>{i.reference}</answer>" if i.column == "width" else "nothing" for i in items]
    rows = score_spatial(items, completions)
    table = summarize_spatial(rows).set_index("column")
    widths = sum(i.column == "width" for i in items)
    assert table.loc["width", "accuracy"] == 100
    assert table.loc["height", ["accuracy", "unreadable"]].tolist() == [0, len(items) - widths]
    assert table.loc["quantitative", "accuracy"] == pytest.approx(100 * widths / len(items))
    assert "qualitative" not in table.index
    with pytest.raises(ValueError, match="20 items but 1 completions"):
        score_spatial(items, ["x"])


def test_a_policy_that_answers_nothing_is_counted():
    table = summarize_spatial(score_spatial(OWN, [None] * len(OWN)))
    assert (table["accuracy"] == 0).all()
    assert (table["unreadable"] == table["questions"]).all()


def test_the_own_set_and_its_brackets():
    assert {i.column for i in OWN} == set(COLUMNS)
    assert all((paths.ROOT / i.image).is_file() for i in OWN)
    tables = check_spatial_brackets(OWN)
    assert (tables["oracle"]["accuracy"] == 100).all()
    level, deviation = random_level(OWN)
    assert 0.25 < level < 0.6
    assert deviation < 0.05
    qualitative = tables["random"].set_index("column").loc["qualitative"]
    assert qualitative["low"] < 50 < qualitative["high"] + 10


def test_a_broken_item_and_one_that_is_no_question_are_found_out():
    from dataclasses import replace

    from robotr1.evaluation.spatialrgpt import scoring as spatialrgpt

    with pytest.raises(SpatialError):
        check_spatial_brackets([replace(OWN[0], reference="far"), *OWN[1:]])
    alike = [replace(i, reference="Yes.") for i in OWN if i.category.endswith("_predicate")]
    with pytest.raises(SpatialError, match="random is right in 100%"):
        spatialrgpt.check_spatial_brackets(alike)
    assert set(spatial_controls(alike)["random"]) == {"<answer> Yes. </answer>"}


def test_column_names():
    assert column_of("above_predicate") == column_of("below_choice") == "below-above"
    assert column_of("vertical_distance_data") == "vertical"


def test_affirmation():
    assert affirms("Indeed, Region [0] is behind Region [1]") is True
    assert affirms("That's not the case") is False
    assert affirms("") is None


def test_regions_are_drawn_even_outside_the_image():
    image = Image.fromarray(np.zeros((40, 60, 3), dtype=np.uint8))
    marked = np.array(mark_regions(image, [(5, 5, 30, 30), (50, 30, 9000, -4)]))
    assert marked.any()
    assert tuple(marked[15, 5]) == (255, 0, 0)
    assert not np.array(image).any()
