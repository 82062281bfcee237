"""Both published forms are read, other forms are refused, and a selection is even over the sub-columns."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_form import published

from robotr1 import paths
from robotr1.evaluation.spatialrgpt.items import COLUMNS, column_of, read_items, select
from robotr1.records import RecordError

ALL = read_items()
KEYS = ["id", "image_info", "file_path", "text_q", "qa_info", "category", "conversations", "value", "bbox"]


def test_both_published_forms_are_read(tmp_path):
    rows = [published("behind_predicate", "No."), published("width_data", "Region [0] is 6.91 feet wide.", id="x")]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, rows)))
    items = read_items(tmp_path / "list.json")
    assert items == read_items(tmp_path / "lines.jsonl")
    assert [item.column for item in items] == ["behind-front", "width"]
    assert items[0].boxes[1] == (6, 292, 233, 432)
    assert items[1].reference == "Region [0] is 6.91 feet wide."


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[{}]", json.dumps([published("beauty_choice", "No.")]), '[{"id": 1, "qa_info": null}]']
)
def test_another_form_is_an_error_with_its_place(tmp_path, text):
    (tmp_path / "bench.json").write_text(text or "[")
    with pytest.raises(RecordError, match=r"bench.json"):
        read_items(tmp_path / "bench.json")


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n", "\n  \n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_lines_end_at_newlines_only(tmp_path, start, end):
    rows = [published("width_data", f"It is 1 m.\u2028{separator}", id=separator) for separator in "\u0085\u2029\x0b"]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "lines.jsonl").write_bytes((start + text + end).encode())
    assert [item.id for item in read_items(tmp_path / "lines.jsonl")] == list("\u0085\u2029\x0b")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text_q": 3}, "text_q: got 3, expected a text"),
        ({"bbox": [[1, 2, 3]]}, r"bbox: got \[\[1, 2, 3\]\], expected lists of four numbers"),
        ({"bbox": [[1, 2, 3, float("nan")]]}, "bbox: got"),
        ({"bbox": [[1, 2, 3, 10**400]]}, "OverflowError"),
        ({"bbox": 5}, "TypeError"),
        ({"conversations": []}, "IndexError"),
        ({"qa_info": {"category": ["width_data"]}}, "qa_info.category: got"),
        ({"image_info": None}, "TypeError"),
    ],
)
def test_a_broken_entry_is_named_with_its_field(tmp_path, changes, message):
    (tmp_path / "bench.json").write_text(
        json.dumps([published("width_data", "1 m"), published("width_data", "1 m") | changes])
    )
    with pytest.raises(RecordError, match=f"bench.json, entry 2: .*{message}"):
        read_items(tmp_path / "bench.json")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(KEYS), values))
def test_any_entry_is_an_item_or_an_error(tmp_path_factory, changes):
    file = tmp_path_factory.mktemp("any") / "bench.json"
    file.write_text(json.dumps([published("width_data", "1 m") | changes]))
    try:
        (item,) = read_items(file)
    except RecordError as error:
        place = str(error)
    else:
        place = "entry 1" if item.column in COLUMNS and item.prompt else ""
    assert "entry 1" in place


def test_column_names():
    assert column_of("above_predicate") == column_of("below_choice") == "below-above"
    assert column_of("vertical_distance_data") == "vertical"


def test_the_committed_set_has_all_columns_and_images():
    assert Counter(item.column for item in ALL) == dict.fromkeys(COLUMNS, 15)
    assert all((paths.ROOT / item.image).is_file() for item in ALL)


@pytest.mark.parametrize(("most", "each"), [(0, {0}), (12, {1}), (60, {5}), (30, {2, 3}), (180, {15}), (10_000, {15})])
def test_a_selection_is_even_over_the_columns(most, each):
    chosen = select(ALL, most)
    counts = Counter(item.column for item in chosen)
    assert len(chosen) == min(most, len(ALL))
    assert {counts[column] for column in COLUMNS} == each
    assert [item for item in ALL if item in chosen] == chosen
