"""Means, intervals and comparisons of judged answers, and the agreement of judges on them."""

import pytest

from robotr1.evaluation.judging.judges import WordsJudge
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.judging.rubric import ABILITIES, Judgement
from robotr1.evaluation.open_questions.controls import completions
from robotr1.evaluation.open_questions.items import read_items
from robotr1.evaluation.open_questions.results import PEOPLE, between_judges, compare, summarize
from robotr1.evaluation.open_questions.scoring import score
from robotr1.statistics import mean_interval

ITEMS = read_items()
JUDGE = ReferenceJudge()
CONTROLS = completions(ITEMS)


class Moody(ReferenceJudge):
    """The reference judge, which fails on the first case."""

    def judge(self, cases):
        return [Judgement(None, "judge_failed", "HTTP 500"), *super().judge(cases)[1:]]


def test_missing_answers_score_zero_and_failures_of_the_judge_are_left_out():
    items = [item for item in ITEMS if item.ability == "movement"][:4]
    texts = [f"<answer>{item.reference}</answer>" for item in items[:2]] + ["no tags", None]
    total = summarize(score({"p": texts}, items, Moody())).set_index("distribution").loc["all"]
    assert (total["items"], total["no_answer"], total["judge_failed"]) == (4, 2, 1)
    assert total["score"] == pytest.approx(1.0)  # (3 + 0 + 0) / 3: the failed one is not in the mean


def test_a_policy_without_answers_scores_zero_and_is_counted():
    table = summarize(score({"mute": [""] * len(ITEMS)}, ITEMS, JUDGE))
    assert (table["score"] == 0).all()
    assert (table["no_answer"] == table["items"]).all()


def test_intervals_by_frame_resample_clusters():
    rows = score({"random": CONTROLS["random"]}, ITEMS, JUDGE)
    line = summarize(rows).query("ability == 'spatial' and distribution == 'all'").iloc[0]
    spatial = [row for row in rows if row.ability == "spatial"]
    values, frames = [row.judgement.score for row in spatial], [row.frame for row in spatial]
    assert (line["score"], line["frame_low"], line["frame_high"]) == mean_interval(values, clusters=frames)
    assert line["low"] < line["score"] < line["high"]


def test_paired_differences_by_ability_with_holm_over_all_rows():
    rows = score({name: CONTROLS[name] for name in ("oracle", "random")}, ITEMS, JUDGE)
    table = compare(rows, [("oracle", "random"), ("oracle", "absent")]).set_index("ability")
    assert set(table.index) == set(ABILITIES)
    assert (table["frames"] == 50).all()
    means = summarize(rows).query("distribution == 'all'").set_index(["policy", "ability"])["score"]
    for ability, row in table.iterrows():
        assert row["difference"] == pytest.approx(means["oracle", ability] - means["random", ability])
        assert 0 < row["low"] <= row["difference"] <= row["high"] <= 3
        assert row["p_value"] <= row["p_holm"] < 0.01
    same = compare(rows, [("oracle", "oracle")])
    assert (same["difference"] == 0).all() and (same["p_holm"] == 1).all()
    assert compare([], [("a", "b")]).empty


def test_judges_are_compared_on_answers_that_exist():
    items = [item for item in ITEMS if item.ability in ("movement", "planning")]
    texts = completions(items) | {"silent": ["nothing"] * len(items)}
    rows = [row for judge in (ReferenceJudge(), WordsJudge()) for row in score(texts, items, judge)]
    people = {("random", item.id): 3.0 for item in items[:7]} | {("nobody", "x"): 1.0}
    table = between_judges(rows, people).set_index(["other", "group"])
    assert set(table["judge"]) == {"reference"}
    assert table.loc[("words", "all"), "answers"] == 3 * len(items), "without the oracle and without silence"
    assert table.loc[("words", "all"), "clusters"] == len({item.frame for item in items})
    assert table.loc[("words", "movement"), "pearson"] < 0.95, "words alone do not know directions"
    assert table.loc[(PEOPLE, "all"), "answers"] == 7
    assert between_judges(rows[: len(rows) // 2]).empty, "one judge alone"
    assert between_judges([]).empty
