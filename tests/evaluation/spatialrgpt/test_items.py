"""Both published forms are read, other forms are refused, and a selection is even over the sub-columns."""

import json
from collections import Counter

import pytest
from published_form import published

from robotr1 import paths
from robotr1.evaluation.spatialrgpt.items import COLUMNS, column_of, read_items, select
from robotr1.records import RecordError

ALL = read_items()


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
