"""Accuracies by sub-column, and averages over questions."""

import pytest

from robotr1.evaluation.spatialrgpt.items import read_items
from robotr1.evaluation.spatialrgpt.results import SUMMARY, summarize
from robotr1.evaluation.spatialrgpt.scoring import score

ALL = read_items()


def test_averages_are_weighted_by_questions():
    items = [item for item in ALL if item.column in ("width", "height")][:20]
    texts = [f"<answer>{item.reference}</answer>" if item.column == "width" else "nothing" for item in items]
    table = summarize(score("p", items, texts)).set_index("column")
    widths = sum(item.column == "width" for item in items)
    assert table.loc["width", "accuracy"] == 1
    assert table.loc["height", ["accuracy", "unreadable"]].tolist() == [0, len(items) - widths]
    assert table.loc["quantitative", "accuracy"] == pytest.approx(widths / len(items))
    assert "qualitative" not in table.index


def test_a_policy_without_answers_is_counted():
    table = summarize(score("mute", ALL, [None] * len(ALL)))
    assert (table["accuracy"] == 0).all()
    assert (table["unreadable"] == table["questions"]).all()
    assert table.set_index("column").loc["quantitative", "questions"] == 90


def test_no_rows_give_an_empty_table():
    assert list(summarize([]).columns) == list(SUMMARY)
