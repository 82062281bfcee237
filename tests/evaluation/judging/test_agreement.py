import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from robotr1.evaluation.judging.agreement import (
    ScoresError,
    agreement,
    kappa,
    pearson,
    read_human_scores,
)

scores = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=40)


@given(scores)
def test_measures_are_scipys_and_statsmodels(pairs):
    pairs = np.array(pairs, dtype=float)
    if np.ptp(pairs, axis=0).min() > 0:
        assert pearson(pairs) == pytest.approx(stats.pearsonr(*pairs.T).statistic)
        table = np.zeros((4, 4))
        np.add.at(table, tuple(pairs.astype(int).T), 1)
        assert kappa(pairs) == pytest.approx(cohens_kappa(table, return_results=False))


def test_by_ability_with_intervals():
    rng = np.random.default_rng(0)
    keys = [("p", f"frame{n // 4}/{n}") for n in range(200)]
    groups = {key: ("planning", "movement")[n % 2] for n, key in enumerate(keys)}
    truth = {key: int(rng.integers(4)) for key in keys}
    noisy = {key: value if rng.random() < 0.8 else int(rng.integers(4)) for key, value in truth.items()}
    table = agreement(truth, noisy, groups, {key: key[1].split("/")[0] for key in keys}).set_index("group")
    assert list(table.index) == ["all", "movement", "planning"]
    assert table.loc["all", "answers"] == 200
    assert table.loc["all", "clusters"] == 50
    for name in ("pearson", "kappa"):
        assert (table[f"{name}_low"] < table[name]).all() and (table[name] < table[f"{name}_high"]).all()
    assert 0.6 < table.loc["all", "kappa"] < 0.95
    itself = agreement(truth, truth, groups).set_index("group")
    assert itself.loc["all", ["same", "pearson", "kappa"]].tolist() == pytest.approx([1, 1, 1])


def test_only_what_both_scored_counts():
    groups = dict.fromkeys("abc", "planning")
    table = agreement({"a": 0, "b": 3}, {"b": 3, "c": 1}, groups).set_index("group")
    assert table.loc["all", "answers"] == 1
    assert np.isnan(table.loc["all", ["pearson", "kappa", "kappa_low"]].astype(float)).all()
    assert agreement({}, {}, {}).loc[0, "answers"] == 0


def test_a_judge_that_always_says_the_same():
    keys = range(10)
    table = agreement(dict.fromkeys(keys, 1), dict(enumerate([0, 1] * 5)), dict.fromkeys(keys, "x"))
    assert np.isnan(table.loc[0, "pearson"])
    assert table.loc[0, "kappa"] == pytest.approx(0)


def test_human_scores_are_medians(tmp_path):
    file = tmp_path / "scores.csv"
    file.write_text("policy,id,rater,score\np,a,1,0\np,a,2,1\np,a,3,3\np,b,1,2\np,b,2,\nq,a,1,3\n")
    assert read_human_scores(file) == {("p", "a"): 1.0, ("p", "b"): 2.0, ("q", "a"): 3.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policy,id,score\np,a,1\n", "no column rater"),
        ("policy,id,rater,score\np,a,1,7\n", "line 2: score '7'"),
        ("policy,id,rater,score\np,a,1,1\np,a,2,good\n", "line 3: score 'good'"),
        ("policy,id,rater,score\np,a,1,1\np,a,1,2\n", "line 3: 1 scored this answer twice"),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    file = tmp_path / "scores.csv"
    file.write_text(text)
    with pytest.raises(ScoresError, match=message):
        read_human_scores(file)
