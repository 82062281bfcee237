"""Hashes, intervals and settings against the last commit."""

import subprocess

import pytest
import yaml
from synthetic_study import results

from robotr1.report.contents import write_tables
from robotr1.report.reproduction.committed import committed, dvc_hash
from robotr1.report.reproduction.report import reproduction, verdict, write_reproduction


def git(root, *arguments):
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A git checkout with one committed stage of two outputs, settings and an accuracy table."""
    folder = tmp_path / "data/questions"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text("{}\n")
    (tmp_path / "data/keyframes.jsonl").write_text("{}\n")
    outs = [{"path": path, "md5": dvc_hash(tmp_path / path)} for path in ("data/questions", "data/keyframes.jsonl")]
    outs.append({"path": "reports/reproduction.md", "md5": "0" * 32})
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {"build_questions": {"outs": outs}}}))
    (tmp_path / "params.yaml").write_text("train_grpo:\n  steps: 200\n")
    write_tables(results(), tmp_path / "reports/tables")
    git(tmp_path, "init")
    git(tmp_path, "add", "dvc.lock", "params.yaml", "reports")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_an_equal_run_says_so(checkout):
    text = reproduction(committed(checkout), checkout)
    assert "params.yaml is the committed one" in text
    assert "2 of 2 outputs are the same as committed" in text
    assert "| outside |" not in text
    assert "| GRPO | test_in |" in text
    assert text == reproduction(committed(checkout), checkout)


def test_what_changed_or_went_is_named(checkout):
    (checkout / "data/keyframes.jsonl").write_text("{...}\n")
    (checkout / "data/questions/train.jsonl").unlink()
    (checkout / "data/questions").rmdir()
    (checkout / "params.yaml").write_text("train_grpo:\n  steps: 10\n")
    text = reproduction(committed(checkout), checkout)
    assert "| train_grpo.steps | 200 | 10 |" in text
    assert "0 of 2 outputs are the same" in text
    assert "| data/keyframes.jsonl |" in text
    assert "| different |" in text
    assert "| - | missing |" in text


def test_an_accuracy_outside_the_committed_interval_is_named(checkout):
    file = checkout / "reports/tables/accuracy.csv"
    rows = file.read_text().splitlines()
    column = rows[0].split(",").index("accuracy")
    worse = [",".join(cell if i != column else "0.0" for i, cell in enumerate(row.split(","))) for row in rows[1:]]
    file.write_text("\n".join([rows[0], *worse]) + "\n")
    assert "| 0.000 | outside |" in reproduction(committed(checkout), checkout)


def test_a_new_seed_and_one_not_run_are_counted(checkout):
    file = checkout / "reports/tables/accuracy.csv"
    file.write_text(file.read_text().replace("grpo-seed0,", "grpo-seed1,"))
    text = reproduction(committed(checkout), checkout)
    assert "| GRPO (seed 1) | test_in | - |" in text
    assert "| GRPO | test_in | " in text
    assert "2 are new, 2 were not run.**" in text


def test_the_first_sentence_sums_up(checkout):
    report = checkout / "reports/reproduction.md"
    assert "Nothing was compared" in verdict(report)
    write_reproduction(report, checkout)
    assert verdict(report).startswith("2 of 2 outputs are the same as committed; ")
    assert "accuracies lie inside the committed intervals." in verdict(report)
    assert "\n" not in verdict(report)


def test_seeds_are_named(checkout):
    (checkout / "params.yaml").write_text("policies:\n  seeds: [0, 1, 2]\ntrain_grpo:\n  steps: 200\n")
    assert "| policies.seeds | [0, 1, 2] |" in reproduction(committed(checkout), checkout)


def test_without_git_there_is_nothing_to_compare_with(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "dvc.lock").write_text("stages:\n  a:\n    outs:\n    - path: x\n      md5: abc\n")
    write_reproduction(tmp_path / "reports/reproduction.md", tmp_path)
    text = (tmp_path / "reports/reproduction.md").read_text()
    assert "There is no committed dvc.lock" in text
    assert "outputs are the same" not in text


def test_no_machine_names_and_no_absolute_paths(checkout):
    import platform

    text = reproduction(committed(checkout), checkout)
    assert platform.node() not in text.split()
    assert str(checkout) not in text
    assert "| Python | 3." in text
