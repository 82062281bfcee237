import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.ablation import report
from robotr1.evaluation.mcqa import write_predictions
from robotr1.records import Prediction

BY_SEED = st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=3)


def predict(policy, split, answers, kind="waypoint"):
    name = f"push_button/variation0/episode{{}}/frame0/{kind}"
    return [
        Prediction(name.format(i), policy, split, kind, "push_button", "", None, "A", bool(hit), True)
        for i, hit in enumerate(answers)
    ]


def as_scores(by_seed):
    return {
        seed: {f"t/variation0/episode{i}/frame0/state": hit for i, hit in enumerate(row)}
        for seed, row in enumerate(by_seed)
    }


@given(BY_SEED, st.data())
def test_a_difference_is_the_mean_of_its_seeds_and_changes_sign(ours, data):
    theirs = data.draw(
        st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=len(ours), max_size=len(ours))
    )
    one = report.difference(as_scores(ours), as_scores(theirs))
    other = report.difference(as_scores(theirs), as_scores(ours))
    assert one.mean == pytest.approx(np.mean(ours) - np.mean(theirs))
    assert one.mean == pytest.approx(np.mean(one.by_seed))
    assert other.mean == pytest.approx(-one.mean)
    assert {"better": "worse", "worse": "better"}.get(
        one.verdict, one.verdict
    ) == other.verdict or one.low * one.high == 0


def test_better_takes_all_seeds():
    good, bad = [True] * 40, [False] * 40
    clear = report.difference(as_scores([good] * 3), as_scores([bad] * 3))
    assert (clear.mean, clear.verdict, max(clear.p_values) < 1e-9) == (1.0, "better", True)
    mixed = report.difference(as_scores([good, good, bad]), as_scores([bad, bad, [*bad[1:], True]]))
    assert mixed.low > 0 and mixed.verdict == "not told apart"
    assert report.difference(as_scores([good]), as_scores([good])).verdict == "not told apart"


def test_an_untrained_policy_stands_against_every_seed():
    found = report.difference(as_scores([[True] * 6, [False] * 6]), as_scores([[False] * 6]))
    assert found.by_seed == [1.0, 0.0]
    assert math.isnan(report.deviation([0.5]))
    with pytest.raises(ValueError, match="share"):
        report.difference(as_scores([[True]]), {0: {"another/frame0/state": True}})
    with pytest.raises(ValueError, match="share"):
        report.difference({}, {})


def test_runs_forms_and_types_are_kept_apart():
    rows = predict("open-0", "test_in", [True, False]) + predict("open-0-own-form", "test_in", [True, True])
    rows += predict("waypoint_open-0", "test_in", [False]) + predict("open-1", "test_in", [True], "movement")
    assert report.accuracies(report.scores(rows, "open", "test_in", ("waypoint",), False)) == [0.5]
    assert report.accuracies(report.scores(rows, "open", "test_in", ("waypoint",), True)) == [1.0]
    assert set(report.scores(rows, "open", "test_in", report.BOTH, False)) == {0, 1}


def test_every_comparison_is_of_runs_that_there_are():
    runs = report.read_plan()["runs"]
    assert {name for one in report.COMPARISONS for name in (one.run, one.other)} <= set(runs)
    assert {one.question for one in report.COMPARISONS} >= {
        "GRPO or imitation?",
        "Which algorithm?",
        "Which questions?",
    }


def test_the_page_says_what_the_predictions_say(tmp_path):
    (tmp_path / "params.yaml").write_text((report.FOLDER / "params.yaml").read_text())
    rng = np.random.default_rng(0)
    for run, share in (("grpo", 0.9), ("rloo", 0.9), ("sft_cot", 0.2)):
        for seed in range(3):
            title, rows = f"{run}-{seed}", []
            for split in report.SPLITS:
                rows += predict(title, split, rng.random(60) < share)
                if run == "sft_cot":
                    rows += predict(f"{title}-own-form", split, rng.random(60) < share)
            write_predictions(rows, tmp_path / "predictions" / title)
    report.main(tmp_path)
    text = (tmp_path / "report.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| grpo − sft_cot, own form | new tasks")]
    assert len(lines) == 1 and lines[0].endswith("| better |")
    assert "| rloo − grpo | new tasks |" in text and "sft_direct" not in text
    assert (tmp_path / "accuracy.png").stat().st_size > 5000
    assert (tmp_path / "metrics/report.json").is_file()
