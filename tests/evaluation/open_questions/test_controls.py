"""The controls' checks pass on the committed items and stop a run with a broken judge or items that are alike."""

import pytest

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.judging.rubric import Judgement
from robotr1.evaluation.open_questions.controls import check_controls, completions, expected_random
from robotr1.evaluation.open_questions.items import read_items

ITEMS = read_items()
JUDGE = ReferenceJudge()


class Constant:
    """Gives every answer the same score."""

    name = "constant"

    def __init__(self, score):
        self.score = score

    def judge(self, cases):
        return [Judgement(self.score, "scored", "hm") for _ in cases]


def test_the_oracle_reaches_the_top_and_guesses_stay_low():
    table = check_controls(ITEMS, JUDGE).set_index(["policy", "distribution", "ability"])["score"]
    assert (table["oracle"] == 3).all()
    levels = expected_random(ITEMS, JUDGE)
    for ability, known in {"planning": 0.2, "high_level": 0.15, "movement": 0.85, "spatial": 0.35}.items():
        assert 3 * levels[ability][0] == pytest.approx(known, abs=0.15)
        assert table["majority", "all", ability] < 2


def test_a_judge_that_always_gives_full_marks_is_detected():
    with pytest.raises(BenchmarkError, match="too alike"):
        check_controls(ITEMS, Constant(3))


def test_a_judge_that_never_gives_full_marks_is_detected():
    with pytest.raises(BenchmarkError, match="the oracle fails 215 of 215 items, first pick_up_cup/0/spatial-0"):
        check_controls(ITEMS, Constant(2))


def test_a_random_control_far_from_chance_is_detected():
    class Suspicious(Constant):
        """Judges like the rules, except that the controls' own guesses get 2."""

        def judge(self, cases):
            verdicts = JUDGE.judge(cases)
            if len(cases) != 4 * len(ITEMS):  # all pairs of items
                return verdicts
            guesses = range(len(ITEMS), 2 * len(ITEMS))
            return [Judgement(2, "scored", "") if n in guesses else v for n, v in enumerate(verdicts)]

    with pytest.raises(BenchmarkError, match=r"random policy scores 0\.667 on 50 items"):
        check_controls(ITEMS, Suspicious(2))


def test_the_oracle_repeats_references_and_random_follows_the_seed():
    first, again, other = completions(ITEMS), completions(ITEMS), completions(ITEMS, seed=1)
    assert first["oracle"] == [f"<think> </think> <answer> {item.reference} </answer>" for item in ITEMS]
    assert first == again
    assert first["random"] != other["random"]
    assert first["majority"] == other["majority"]


def test_no_items_give_an_empty_table():
    assert check_controls([], JUDGE).empty
