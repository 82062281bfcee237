"""Completions become judged rows: only the text inside <answer> is judged, for every policy and item."""

import pytest

from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.open_questions.items import read_items
from robotr1.evaluation.open_questions.scoring import score

ITEMS = [item for item in read_items() if item.ability == "movement"][:3]


def test_rows_have_the_completion_the_answer_and_the_verdict():
    texts = [f"<think> hm </think> <answer> {ITEMS[0].reference} </answer>", "no tags", None]
    rows = score({"p": texts, "q": [None] * 3}, ITEMS, ReferenceJudge())
    assert [(row.policy, row.id) for row in rows] == [(policy, item.id) for policy in "pq" for item in ITEMS]
    assert [row.completion for row in rows[:3]] == texts
    assert [row.answer for row in rows[:3]] == [ITEMS[0].reference, None, None]
    assert [row.judgement.score for row in rows] == [3, 0, 0, 0, 0, 0]
    assert [row.judgement.status for row in rows[:3]] == ["scored", "no_answer", "no_answer"]
    assert {row.judge for row in rows} == {"reference"}


def test_the_judge_gets_all_policies_in_one_call():
    class Counting(ReferenceJudge):
        calls = 0

        def judge(self, cases):
            Counting.calls += 1
            return super().judge(cases)

    score({policy: ["<answer> up </answer>"] * 3 for policy in "abc"}, ITEMS, Counting())
    assert Counting.calls == 1


def test_another_number_of_completions_is_an_error():
    with pytest.raises(ValueError, match="p: 3 items but 1 completions"):
        score({"p": ["x"]}, ITEMS, ReferenceJudge())
