"""The ablation's page agrees with the predictions."""

import numpy as np
import pytest
from synthetic_study import question

from robotr1.ablation import report
from robotr1.ablation.page import percentages
from robotr1.evaluation.multiple_choice.results import write as write_predictions
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.questions.prompts import LETTERS, completion_text, format_state


@pytest.fixture
def asked(monkeypatch):
    rng = np.random.default_rng(0)
    questions = [
        question(rng, type, split, "pick_up_cup", 30 * number + episode)
        for number, split in enumerate(report.SPLITS)
        for type in ("waypoint", "state")
        for episode in range(30)
    ]
    monkeypatch.setattr(report, "read_questions", lambda: questions)
    return questions


def written(asked, share, rng, place="target"):
    """Completions that name the true place, or the gripper's, and are right in about `share` of the questions."""
    letters = [q.answer if rng.random() < share else LETTERS[(LETTERS.index(q.answer) + 1) % 4] for q in asked]
    return [
        completion_text(f"The cup is at {format_state(getattr(q, place), 4)}.", letter)
        for q, letter in zip(asked, letters, strict=True)
    ]


def test_the_page_agrees_with_the_predictions(tmp_path, asked):
    (tmp_path / "params.yaml").write_text((report.FOLDER / "params.yaml").read_text())
    rng = np.random.default_rng(0)
    for run, share, place in (("grpo", 0.9, "state"), ("rloo", 0.9, "target"), ("sft_cot", 0.2, "target")):
        for seed in range(3):
            title = f"{run}-{seed}"
            rows = evaluate(title, asked, written(asked, share, rng, place))
            if run == "sft_cot":
                rows += evaluate(f"{title}-own-form", asked, written(asked, share, rng))
            else:
                waypoints = [q for q in asked if q.type == "waypoint"]
                rows += evaluate(f"{title}-same_episode", waypoints, written(waypoints, share, rng))
            write_predictions(rows, tmp_path / "predictions" / title)
    report.main(tmp_path)
    text = (tmp_path / "report.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| grpo − sft_cot, open form (")]
    assert len(lines) == 2 and all(line.endswith("| better |") for line in lines)
    assert "(waypoint, state) | new tasks |" in lines[1]
    assert "| rloo − grpo | new tasks |" in text and "sft_direct" not in text
    assert "| grpo, other options | 3 |" in text
    assert "| grpo − sft_cot, open form | +0.64, Table 3 | better (new episodes); better (new tasks) | agrees |" in text
    thoughts = text[text.index("## What the thoughts") :]
    assert "| grpo | " in thoughts and "| 100.0 ± 0.0 |" in thoughts.split("| grpo |")[1].splitlines()[0]
    assert "| 0.0 ± 0.0 |" in thoughts.split("| rloo |")[1].splitlines()[0]
    assert (tmp_path / "accuracy.png").stat().st_size > 5000
    assert (tmp_path / "metrics/report.json").is_file()


def test_the_best_guess_without_the_image_is_of_this_strategy_and_the_waypoints():
    rows = [
        ("same_episode", "waypoint", False, "test_in", 0.6),
        ("same_episode", "waypoint", False, "test_in", 0.7),
        ("same_episode", "waypoint", True, "test_in", 0.9),
        ("same_episode", "state", False, "test_in", 0.8),
        ("uniform", "waypoint", False, "test_in", 0.95),
        ("same_episode", "waypoint", False, "test_out", 0.5),
    ]
    names = ("strategy", "type", "stated", "split", "accuracy")
    others = {"policy": "text only", "questions": 10, "low": 0.0, "high": 1.0}
    card = {"strategies": [dict(zip(names, row, strict=True)) | others for row in rows]}
    found = report.blind_guesses(card, "same_episode")
    assert found == {"test_in": 0.7, "test_out": 0.5}
    assert percentages(found) == "70.0 % (new episodes), 50.0 % (new tasks)"
    assert percentages({}) == ""
