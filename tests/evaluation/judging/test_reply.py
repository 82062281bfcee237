"""A judge's reply is one whole score from 0 to 3, or none: a wrong reading is never a score."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.judging.reply import parse_reply


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("Score: 3 Reason: same", 3),
        ("**Score:** [1]\nReason: x", 1),
        ("score=0", 0),
        ("Score: 2. I repeat, score: 2", 2),
        ("3", None),
        ("Score: 7", None),
        ("Score: -1", None),
        ("Score: 10", None),
        ("Score: 1 or Score: 2", None),
        ("", None),
        ("Score: 1.5", None),
        ("Score: 3 ... no, Score: 1", None),
        ("Score: 3/10", None),
        ("Score: 3 / 10", None),
        ("Score: 3 out of 10", None),
        ("Score: 3 out of 3", 3),
        ("Score: 3/3", 3),
        ("Score: 2/3", 2),
        ("Score: 2-3", None),
        ("Score: 2–3", None),
        ("Score: 2 - 3", None),
        ("Score: 2 to 3", None),
        ("Score: 2 or 3", None),
        ("Score: 2 or three", None),
        ("Score: 2~3", None),
        ("Score: 2, 3", None),
        ("Score: 2,5", None),
        ("Score: 2½", None),
        ("Score: 2 1/2", None),
        ("Score: 2 and a half", None),
        ("Score: 3%", None),
        ("Score: 3 percent", None),
        ("Score: 30%", None),
        ("Score: +3", None),
        ("Score: 3+", None),
        ("Score: ~2", None),
        ("Score: >2", None),
        ("Score: <2", None),
        ("Score: ≥2", None),
        ("Score: <2> Reason: <one>", 2),
        ("Score: <2>", 2),
        ("<Score: 2 Reason: x>", 2),
        ("Score：3 Reason：same", 3),
        ("Score： ３", 3),
        ("Score：＜2＞", 2),
        ("<think>Score: 1 maybe</think>\nScore: 2 Reason: x", 2),
        ("<think> hm Score: 1", None),
        ("<think></think>Score: 0", 0),
        ("<thinking>a</thinking>Score: 1", 1),
        ("blah </think> Score: 3 Reason: y", 3),
        ('{"score": 2, "reason": "ok"}', 2),
        ('```json\n{"score": 2}\n```', 2),
        ('{"score": "2"}', 2),
        ("<score>2</score>", 2),
        ("Score: **3**", 3),
        ("Score: `1`", 1),
        ("Score = 2", 2),
        ("Score → 2", 2),
        ("Score -> 2", 2),
        ("Score (0-3): 2", 2),
        ("Score (0 to 3): 2 Reason: good", 2),
        ("Score (0-10): 3", None),
        ("Score (out of 10): 3", None),
        ("Score: <0, 1, 2 or 3>", None),
        ("Score: 0, 1, 2 or 3", None),
        ("Score: 3 (on a scale of 1 to 10)", None),
        ("On a scale of 1-10, Score: 3", None),
        ("Score: 3. Scale: 0-100", None),
        ("Score: 3 Reason: 9 out of 10 steps are named", 3),
        ("Score: 2 Reason: 1 of 4 is missing, 25%", 2),
        ("Score: 2\n1. steps", 2),
        ("Score: 2 (3 of 4)", None),
        ("Score: 3.0", 3),
        ("Score: 3.00 Reason: a", 3),
        ("Score: 3.5", None),
        ("Score: 3,0", None),
        ("Score: 3.", 3),
        ("Score: 3!", 3),
        ("Score: 03", None),
        ("Score: 3rd", None),
        ("Score: 3e0", None),
        ("Score: 3 would be too much", None),
        ("I cannot give a score: 3", None),
        ("Score: 2, Reason: fine", 2),
        ("Score: 2; fine", 2),
        ("Score: 2 — mostly the same", 2),
        ("Score: 2—mostly the same", 2),
        ("Score: 2 - mostly", 2),
        ("Score: 2-", None),
        ("Score: 2 stars", None),
        ("Score: 2 points", 2),
        ("Score: three", None),
        ("Score: 2 minus", None),
        ("Score: 1\nScore: 2", None),
        ("Score: 1 Reason: a Score: 1", 1),
        ("SCORE: 2 REASON: x", 2),
        ("Score:2Reason: x", None),
        ("Score: 2\u2028Reason: x", 2),
        ("Score: 2\x85Reason: x", 2),
        ("Score: 4/3", None),
        ("Score: ２／１０", None),
        ("Score: 2⁄3", 2),
        ("Score: 2 of 5", None),
        ("Final Score: 3", 3),
        ("The score is 2", None),
        ("Score: 1/3 Reason: ok", 1),
        ("Score: 3 thirds", None),
        ("Score: 2 3", None),
        ("Score: 2:3", None),
        ("Score: 33", None),
        ("Score: 0", 0),
        ('Score: 2 Reason: the answer says "Score: 3"', None),
        ("Score: Ⅲ", None),
        ("Score: ③", 3),
        ("Score: 2²", None),
        ("Score: 1e1", None),
        ("score: 2 / 3 points", 2),
        ("Score: 2 because one of the steps is missing", 2),
        ("Score: 2 Mostly the same, with small differences to the reference.", 2),
        ("Score: 2, possibly three", None),
        ("Score: 2 (or three)", None),
        ("Score: 3 on a five-point scale", None),
        ("Score: 3 on a 5-point scale", None),
        ("Score: 3 out of ten", None),
        ("Score: 3 in 10", None),
        ("Score: <2> or <3>", None),
        ("Score: <2>/<10>", None),
        ("Percentage score: 3", None),
        ("Score: 1 … 3", None),
        ("Score: 2 hundred", None),
        ("Score: 3-1 = 2", None),
        ("Score:\n\n**2**\n", 2),
        ("Score: 1</think>Score: 2", 2),
        ("＜think＞Score: 1＜/think＞Score: 2", 2),
        ("[THINK]Score: 1[/THINK]Score: 2", 2),
        ("◁think▷Score: 1◁/think▷Score: 2", 2),
        ("SCORE：<3>\u3000Reason：＜ok＞", 3),
    ],
)
def test_replies(reply, score):
    assert parse_reply(reply) == score


@given(st.text(max_size=300))
def test_any_text_has_a_score_or_none(text):
    assert parse_reply(text) in (None, 0, 1, 2, 3)
    assert parse_reply(f"Score: {text}") in (None, 0, 1, 2, 3)


@given(
    st.integers(-200, 200),
    st.sampled_from(["", "/5", "/10", "%", " out of 5", "-4", ".5", ",5", " or 4", "½", "^2", "e1", "+"]),
)
def test_only_whole_scores_of_the_scale_are_read(number, end):
    expected = number if number in (0, 1, 2, 3) and not end else None
    assert parse_reply(f"Score: {number}{end} Reason: fine") == expected


@given(
    st.integers(0, 3),
    st.sampled_from(["Score: {}", "**Score**: {}", "Score：<{}>", "<think> Score: 0 </think> Score: [{}]"]),
)
def test_the_rubrics_form_is_read_in_any_markup(number, form):
    assert parse_reply(form.format(number) + " Reason: fine") == number


@pytest.mark.parametrize(
    "piece", ["Score: ", "score 1 ", "<", "not a ", "scale of ", "Score: 2 ", "<think>", "score: <", "(0 - "]
)
def test_a_very_long_reply_takes_no_time(piece):
    start = time.monotonic()
    parse_reply(piece * (1_000_000 // len(piece)))
    assert time.monotonic() - start < 2
