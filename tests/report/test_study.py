"""A study read from disk."""

import json

import pytest
from synthetic_study import SETTINGS, predictions, questions, results, training_logs

from robotr1.evaluation.multiple_choice.results import write as write_predictions
from robotr1.records import RecordError, write_records
from robotr1.report.headline import headline
from robotr1.report.results import load_results
from robotr1.report.sections.question_audit import audit_table
from robotr1.report.study import read_study, read_training_logs


@pytest.fixture
def written(tmp_path):
    """A study's files; returns the folders that `read_study` takes."""
    asked = questions(episodes=2)
    folders = [tmp_path / name for name in ("predictions", "questions", "models")]
    write_predictions(predictions(asked), folders[0])
    for split in {one.split for one in asked}:
        write_records(folders[1] / f"{split}.jsonl", [one for one in asked if one.split == split])
    for policy, log in training_logs(["grpo-seed0", "grpo-seed7"]).items():
        (folders[2] / policy).mkdir(parents=True)
        log.to_json(folders[2] / policy / "log.jsonl", orient="records", lines=True)
    return folders


def test_results_from_disk_equal_those_from_memory(written):
    loaded, made = load_results(SETTINGS, *written), results(episodes=2)
    assert headline(loaded) == headline(made)
    assert loaded.comparisons.equals(made.comparisons)


def test_logs_of_policies_that_did_not_answer_are_left_out(written):
    assert list(read_study(*written).training) == ["grpo-seed0"]


def test_the_shortcut_audit_comes_from_the_card_of_the_questions(written):
    assert audit_table(load_results(SETTINGS, *written)).empty
    row = {"strategy": "uniform", "stated": False, "split": "test_in", "type": "state", "policy": "lowest"}
    row |= {"questions": 9, "accuracy": 0.5, "low": 0.25, "high": 0.75}
    (written[1] / "card.json").write_text(json.dumps({"strategies": [row, row | {"stated": True, "type": "movement"}]}))
    cell, table = "50.0 [25.0, 75.0] (lowest)", audit_table(load_results(SETTINGS, *written))
    assert table.set_index(["distractors", "prompt states the gripper"]).to_dict("index") == {
        ("uniform", "no"): {"state": cell, "movement": ""},
        ("uniform", "yes"): {"state": "", "movement": cell},
    }


def test_without_predictions_the_message_names_the_command(tmp_path):
    with pytest.raises(RecordError, match="holds no predictions; run"):
        read_study(tmp_path, tmp_path, tmp_path)


def test_predictions_about_other_questions_are_an_error(written):
    file = written[1] / "test_in.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(RecordError, match="is not among the questions"):
        read_study(*written)


def test_a_broken_log_names_file_and_line(tmp_path):
    (tmp_path / "grpo-seed0").mkdir()
    (tmp_path / "grpo-seed0/log.jsonl").write_text(json.dumps({"step": 1}) + "\n{oops\n")
    with pytest.raises(RecordError, match=r"log\.jsonl, line 2"):
        read_training_logs(tmp_path)
