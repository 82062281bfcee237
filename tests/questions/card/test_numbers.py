import json

from robotr1.questions.audit.blind import audit
from robotr1.questions.build import build_questions
from robotr1.questions.card.numbers import question_card, write_questions
from robotr1.questions.forms.build import other_forms
from robotr1.questions.forms.planning import planning_example, unplanned
from robotr1.questions.forms.sft import sft_examples
from robotr1.records import OpenQuestion, PlanningQuestion, Question, SftExample, read_records


def test_written_questions_are_read_back_and_counted(study, settings, tmp_path):
    splits = build_questions(*study, settings)
    examples = sft_examples([*splits["train"], *splits["validation"]], study[1], settings)
    forms = other_forms(splits, study[1], settings)
    examples["planning"] = [planning_example(question) for question in forms["planning"]["train"]]
    without = unplanned(splits, study[1])
    card = question_card(splits, examples, audit(splits), settings, forms=forms, without_script=without)
    (tmp_path / "planning_old.jsonl").touch()
    written = write_questions(splits, examples, card, tmp_path, forms)
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()}
    for split, questions in splits.items():
        assert read_records(tmp_path / f"{split}.jsonl", Question) == questions
    for form, chosen in examples.items():
        assert read_records(tmp_path / f"sft_{form}.jsonl", SftExample) == chosen
    for split in splits:
        assert read_records(tmp_path / f"open_{split}.jsonl", OpenQuestion) == forms["open"][split]
        assert read_records(tmp_path / f"planning_{split}.jsonl", PlanningQuestion) == forms["planning"][split]
    on_disk = json.loads((tmp_path / "card.json").read_text())
    assert on_disk["chance"] == 0.25
    assert on_disk["splits"]["train"]["episodes"] == 12
    assert on_disk["splits"]["test_out"]["tasks"] == {"lamp_on": len(splits["test_out"])}
    for split, questions in splits.items():
        counts = on_disk["splits"][split]
        assert counts["questions"] == len(questions) == sum(counts["letters"].values()) == 3 * counts["images"]
        assert set(on_disk["blind"][split]) == set(settings.types)
    counts = {split: len(questions) for split, questions in forms["planning"].items()}
    assert on_disk["forms"]["planning"] == counts and sum(counts.values()) > 0
    frames = {split: len({question.image for question in questions}) for split, questions in splits.items()}
    assert sum(frames.values()) == sum(counts.values()) + sum(on_disk["frames_without_script"].values())
