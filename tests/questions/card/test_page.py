import re

import pytest
import yaml

from robotr1.questions.audit.blind import audit
from robotr1.questions.audit.strategies import audit_strategies
from robotr1.questions.build import build_questions
from robotr1.questions.card.numbers import question_card, write_questions
from robotr1.questions.card.page import dataset_card, write_dataset_card
from robotr1.questions.trajectory import trajectories_of


@pytest.fixture(scope="module")
def splits(study, settings):
    return build_questions(*study, settings)


@pytest.fixture(scope="module")
def card(splits, study, settings):
    audited = audit_strategies(trajectories_of(*study), settings, ["uniform", "other_episodes"])
    return question_card(splits, {}, audit(splits), settings, audited, {"episodes without keyframes": 2})


def test_the_card_is_written_from_the_numbers(card, splits, tmp_path):
    text = write_dataset_card(card, tmp_path / "card.md").read_text()
    assert text == dataset_card(card) + "\n"
    for split, questions in splits.items():
        (row,) = re.findall(rf"^\| {split} \| (\d+) \|", text, re.MULTILINE)
        assert int(row) == len(questions)
    assert f"\n{sum(map(len, splits.values()))} multiple-choice questions" in text
    assert "2 episodes without keyframes" in text
    guess = card["blind"]["test_in"]["state"]
    assert f"| test_in | state | {guess['policy']} | {guess['accuracy']:.0%} [" in text
    assert "| other_episodes (used here) | yes |" in text
    assert "| uniform | no |" in text


def test_the_front_matter_names_the_files(card, splits):
    front = yaml.safe_load(dataset_card(card).split("---\n")[1])
    assert front["configs"][0]["data_files"] == [{"split": split, "path": f"{split}.jsonl"} for split in splits]


def test_the_questions_load_with_datasets(card, splits, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    write_questions(splits, {}, card, tmp_path / "questions")
    files = {split: str(tmp_path / f"questions/{split}.jsonl") for split in splits}
    loaded = load_dataset("json", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert {split: loaded[split].num_rows for split in splits} == {split: len(part) for split, part in splits.items()}
    for split, questions in splits.items():
        assert loaded[split]["id"] == [question.id for question in questions]
        assert loaded[split][0]["options"] == questions[0].options
        assert loaded[split][0]["state"] == pytest.approx(questions[0].state)
