"""The report on reproduction: levels, intervals and settings against the last commit."""

import platform
import subprocess

import pandas as pd
import pytest
import yaml
from synthetic_study import results

from robotr1.report.contents import write_tables
from robotr1.report.reproduction.committed import committed, dvc_hash
from robotr1.report.reproduction.report import first_sentence, reproduction, write_reproduction

OUTPUTS = {
    "build_questions": ["data/questions", "data/keyframes.jsonl", "reports/metrics/build_questions.json"],
    "train_grpo@grpo-0": ["models/grpo-seed0"],
    "analyze_results": ["reports/reproduction.md"],
}


def git(root, *arguments):
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A git checkout with a committed run: three stages with five outputs, settings and an accuracy table."""
    files = {
        "data/questions/train.jsonl": "{}\n",
        "data/keyframes.jsonl": "{}\n",
        "models/grpo-seed0/weights": "1",
        "reports/metrics/build_questions.json": '{"share": 0.25}\n',
        "params.yaml": "train_grpo:\n  steps: 200\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    stages = {
        stage: {"outs": [{"path": path, "md5": dvc_hash(tmp_path / path) or "0" * 32} for path in outs]}
        for stage, outs in OUTPUTS.items()
    }
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    write_tables(results(), tmp_path / "reports/tables")
    git(tmp_path, "init")
    git(tmp_path, "add", "dvc.lock", "params.yaml", "reports")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def said(checkout):
    """The first sentence of the report, and the level of each output."""
    text = reproduction(committed(checkout), checkout)
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    levels = {row[1]: row[-1] for row in rows if row[0] in OUTPUTS}
    return text.split("\n\n")[1].strip("*"), levels


def set_accuracy(checkout, policy, value):
    file = checkout / "reports/tables/accuracy.csv"
    table = pd.read_csv(file)
    table.loc[table["policy"] == policy, "accuracy"] = value
    table.to_csv(file, index=False)


def test_an_equal_run_has_the_committed_bytes(checkout):
    sentence, levels = said(checkout)
    assert sentence == "Reproduced: all 4 outputs have the committed bytes."
    assert set(levels.values()) == {"same bytes"}
    assert "reports/reproduction.md" not in levels
    assert "params.yaml is the committed one" in reproduction(committed(checkout), checkout)


def test_rounding_is_the_same_up_to_the_tolerance(checkout):
    (checkout / "reports/metrics/build_questions.json").write_text('{"share": 0.2500000001}\n')
    sentence, levels = said(checkout)
    assert levels["reports/metrics/build_questions.json"] == "same up to the tolerance"
    told = "3 of 4 outputs have the committed bytes; 1 more is the same up to the tolerance."
    assert sentence == f"Reproduced: {told}"


def test_other_weights_with_equal_accuracy_are_inside_the_interval(checkout):
    (checkout / "models/grpo-seed0/weights").write_text("2")
    sentence, levels = said(checkout)
    assert levels["models/grpo-seed0"] == "inside the interval"
    assert sentence.startswith("Reproduced: 3 of 4 outputs have the committed bytes; 1 more depends on training")


def test_other_weights_with_another_accuracy_are_different(checkout):
    (checkout / "models/grpo-seed0/weights").write_text("2")
    set_accuracy(checkout, "grpo-seed0", 0.0)
    sentence, levels = said(checkout)
    assert levels["models/grpo-seed0"] == "different"
    assert sentence.startswith("Not reproduced: 1 output differs (models/grpo-seed0). 2 of ")
    assert "| 0.000 | outside |" in reproduction(committed(checkout), checkout)


def test_questions_have_no_interval(checkout):
    (checkout / "data/questions/train.jsonl").write_text("{...}\n")
    (checkout / "data/keyframes.jsonl").write_text("{...}\n")
    sentence, levels = said(checkout)
    assert levels["data/questions"] == levels["data/keyframes.jsonl"] == "different"
    assert sentence == "Not reproduced: 2 outputs differ (data/questions, data/keyframes.jsonl)."


def test_a_missing_output_is_named(checkout):
    (checkout / "data/keyframes.jsonl").unlink()
    sentence, levels = said(checkout)
    assert levels["data/keyframes.jsonl"] == "missing"
    assert sentence == "Not complete: 1 output is missing (data/keyframes.jsonl); run `dvc repro`."


def test_other_settings_are_not_comparable(checkout):
    (checkout / "params.yaml").write_text("train_grpo:\n  steps: 10\n")
    assert said(checkout)[0].startswith("Not comparable: 1 ")
    assert "| train_grpo.steps | 200 | 10 |" in reproduction(committed(checkout), checkout)


def test_new_policies_and_those_not_run_are_listed(checkout):
    file = checkout / "reports/tables/accuracy.csv"
    file.write_text(file.read_text().replace("grpo-seed0,", "grpo-seed1,"))
    lines = reproduction(committed(checkout), checkout).splitlines()
    assert sum(line.startswith("| GRPO (seed 1) |") and line.endswith("| new |") for line in lines) == 2
    assert sum(line.startswith("| GRPO |") and line.endswith("| not run |") for line in lines) == 2


def test_the_first_sentence_is_read_back(checkout):
    report = checkout / "reports/reproduction.md"
    assert "Nothing was compared" in first_sentence(report)
    (checkout / "data/demos").mkdir()
    write_reproduction(report, checkout)
    assert first_sentence(report) == said(checkout)[0]
    assert "\n" not in first_sentence(report)


def test_seeds_are_named(checkout):
    (checkout / "params.yaml").write_text("policies:\n  seeds: [0, 1, 2]\ntrain_grpo:\n  steps: 200\n")
    assert "| policies.seeds | [0, 1, 2] |" in reproduction(committed(checkout), checkout)


def test_without_git_there_is_nothing_to_compare_with(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "dvc.lock").write_text("stages:\n  a:\n    outs:\n    - path: x\n      md5: abc\n")
    text = reproduction(committed(tmp_path), tmp_path)
    assert "**There is no committed run to compare with.**" in text
    assert "There is no committed dvc.lock" in text


def test_no_machine_names_and_no_absolute_paths(checkout):
    text = reproduction(committed(checkout), checkout)
    assert platform.node() not in text.split()
    assert str(checkout) not in text
    assert "| Python | 3." in text
