"""What the report is computed from, and its main sentence."""

import dataclasses
import json

import pytest
from synthetic_study import SETTINGS, predictions, questions, study, training_logs

from robotr1.evaluation.multiple_choice.results import write as write_predictions
from robotr1.records import RecordError, write_records
from robotr1.report import tables
from robotr1.report.results import analyze, draw_examples, headline, load_results, p_text, read_training_logs


@pytest.fixture
def written(tmp_path):
    """A study's files; returns the folders that `load_results` takes."""
    asked = questions(episodes=2)
    folders = [tmp_path / name for name in ("predictions", "questions", "models")]
    write_predictions(predictions(asked), folders[0])
    for split in {one.split for one in asked}:
        write_records(folders[1] / f"{split}.jsonl", [one for one in asked if one.split == split])
    for policy, log in training_logs(["grpo-seed0", "grpo-seed7"]).items():
        (folders[2] / policy).mkdir(parents=True)
        log.to_json(folders[2] / policy / "log.jsonl", orient="records", lines=True)
    return folders


def test_the_shortcut_audit_comes_from_the_card_of_the_questions(written, tmp_path):
    assert load_results(SETTINGS, *written).strategies.empty
    row = {"strategy": "uniform", "stated": False, "split": "test_in", "type": "state", "policy": "lowest"}
    row |= {"questions": 9, "accuracy": 0.5, "low": 0.25, "high": 0.75}
    (written[1] / "card.json").write_text(json.dumps({"strategies": [row, row | {"stated": True, "type": "movement"}]}))
    table = tables.strategy_table(load_results(SETTINGS, *written))
    assert table.to_dict("records") == [
        {
            "wrong options": "uniform",
            "prompt states the gripper": "no",
            "state": "50.0 [25.0, 75.0] (lowest)",
            "movement": "",
        },
        {
            "wrong options": "uniform",
            "prompt states the gripper": "yes",
            "state": "",
            "movement": "50.0 [25.0, 75.0] (lowest)",
        },
    ]
    assert tables.strategy_table(study()).empty


def test_results_from_disk_are_those_from_memory(written):
    loaded, made = load_results(SETTINGS, *written), study(episodes=2)
    assert headline(loaded) == headline(made)
    assert loaded.comparisons.equals(made.comparisons)
    assert list(loaded.training) == ["grpo-seed0"], "logs of policies that were not asked stay out"


def test_no_predictions_say_what_to_run(tmp_path):
    with pytest.raises(RecordError, match="holds no predictions; run"):
        load_results(SETTINGS, tmp_path, tmp_path, tmp_path)


def test_predictions_about_other_questions_are_an_error(written):
    file = written[1] / "test_in.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(RecordError, match="is not among the questions"):
        load_results(SETTINGS, *written)


def test_a_broken_log_names_file_and_line(tmp_path):
    (tmp_path / "grpo-seed0").mkdir()
    (tmp_path / "grpo-seed0/log.jsonl").write_text(json.dumps({"step": 1}) + "\n{oops\n")
    with pytest.raises(RecordError, match=r"log\.jsonl, line 2"):
        read_training_logs(tmp_path)


def test_the_blind_accuracy_stands_beside_every_accuracy():
    table = study().accuracy
    blind = table[table["policy"] == "text_only"].set_index(["split", "type"])["accuracy"]
    for row in table.itertuples():
        assert row.blind == blind[row.split, row.type]


def test_headline_gives_gain_interval_and_p():
    text = headline(study())
    assert text.startswith("On the 48 held-out questions of the training tasks, GRPO answers ")
    assert "a gain of +" in text
    assert "interval over episodes" in text
    assert "exact McNemar test, p < 0.001" in text
    assert "not more than chance" not in text


def test_headline_admits_that_there_is_no_gain():
    asked = questions()
    base = [p for p in predictions(asked) if p.policy == "base"]
    same = [dataclasses.replace(p, policy="grpo-seed0") for p in base]
    results = analyze(SETTINGS, base + same, {one.id: one for one in asked}, {})
    assert "a change of +0.0 points" in headline(results)
    assert "not more than chance" in headline(results)


def test_headline_without_reinforced_policy():
    asked = questions()
    base = [p for p in predictions(asked) if p.policy == "base"]
    assert headline(analyze(SETTINGS, base, {one.id: one for one in asked}, {})).startswith("There is no reinforced")


@pytest.mark.parametrize(
    ("p", "text"), [(0, "p < 0.001"), (8e-64, "p < 0.001"), (0.001, "p = 0.001"), (0.0324, "p = 0.032"), (1, "p = 1")]
)
def test_p_values_as_text(p, text):
    assert p_text(p) == text


def test_examples_cover_the_types_and_depend_on_the_seed_only():
    chosen = draw_examples(study())
    assert [one.type for one in chosen] == ["waypoint", "state", "movement"]
    assert chosen == draw_examples(study())
    assert all(one.split != "validation" for one in chosen)
    many = dataclasses.replace(study(), settings=dataclasses.replace(SETTINGS, examples=1000))
    assert len(draw_examples(many)) == sum(one.split != "validation" for one in questions())
