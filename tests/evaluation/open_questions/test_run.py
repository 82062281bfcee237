"""Controls and policies are evaluated on a set of items, in Python and from the command line."""

import sys
from collections import Counter
from dataclasses import replace

import pytest
from chat_server import chat, serving

from robotr1 import paths
from robotr1.evaluation import items as committed
from robotr1.evaluation.judging import judges
from robotr1.evaluation.open_questions import __main__ as command
from robotr1.evaluation.open_questions import results
from robotr1.evaluation.open_questions import run as open_questions
from robotr1.evaluation.open_questions.items import read_items
from robotr1.records import write_records
from robotr1.settings import load_settings

SETTINGS = load_settings()["run_benchmarks"]


@pytest.fixture
def asked(monkeypatch):
    """(policy, settings, cache) of every policy that is loaded; it is right in distribution and mute outside."""
    calls = []

    def load_completer(policy, settings, folder):
        calls.append((policy, settings, folder))
        return lambda items: [
            f"<answer> {item.reference} </answer>" if item.distribution == "in" else None for item in items
        ]

    monkeypatch.setattr(open_questions, "load_completer", load_completer)
    return calls


@pytest.fixture
def folder(tmp_path):
    """A folder with every second committed item."""
    write_records(tmp_path / committed.OPEN_QUESTIONS, read_items()[::2])
    return tmp_path


def test_a_policy_is_scored_beside_the_controls_and_answers_are_written(folder, asked):
    file = folder / committed.OPEN_QUESTIONS
    table = open_questions.run(file, ["half"], SETTINGS, folder)
    table = table.set_index(["policy", "distribution", "ability"]).sort_index()["score"]
    assert asked == [("half", SETTINGS, folder / "completions")]
    assert (table["oracle"] == 3).all() and table["random", "all"].max() < 2.5
    assert (table["half", "in"] == 3).all() and (table["half", "out"] == 0).all()
    rows = results.read(folder)
    policies = ("oracle", "random", "majority", "text_only", "half")
    assert Counter(row.policy for row in rows) == dict.fromkeys(policies, len(read_items(file)))


def test_without_items_no_policy_is_loaded(asked):
    completions = open_questions.complete(["base"], [], SETTINGS)
    assert set(completions) == {"oracle", "random", "majority", "text_only"}
    assert not asked


def test_the_command_line(folder, asked, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["open_questions", "--items", str(folder), "--policy", "half", "--seed", "7"])
    command.main()
    assert asked == [("half", replace(SETTINGS, seed=7), folder / "completions")]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == command.SHOWN
    scores = {tuple(line.split()[:3]): float(line.split()[4]) for line in lines[1:-1]}
    assert (scores["half", "planning", "in"], scores["half", "planning", "out"]) == (3, 0)
    assert (folder / "half" / results.FILE).is_file()


def test_the_command_line_takes_the_committed_items_and_writes_elsewhere(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "DATA", tmp_path)
    monkeypatch.setattr(sys, "argv", ["open_questions"])
    command.main()
    assert len(results.read(tmp_path / "open_questions")) == 4 * 215
    assert "open_questions" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("end", ["", "\r\n", " "])
def test_no_secret_is_in_any_file_of_a_run_whose_judge_repeats_it(folder, asked, monkeypatch, capsys, end):
    def echo(handler, body):
        handler.reply(*chat(f"Score: 1 Reason: you sent {handler.headers['Authorization']}"))

    monkeypatch.setenv("OPENAI_API_KEY", f"sk-NOT-A-REAL-KEY{end}")
    monkeypatch.setattr(judges, "REPLIES", folder / "replies")
    with serving() as start:
        settings = replace(SETTINGS, judge="endpoint", judge_url=start(echo).url, judge_model="a-model")
        table = open_questions.run(folder / committed.OPEN_QUESTIONS, ["half"], settings, folder)
    assert set(table["judge"]) == {"a-model"} and (table["judge_failed"] == 0).all()
    files = [file for file in folder.rglob("*.json*") if file.is_file()]
    assert len(files) > 6
    assert not [file for file in files if "NOT-A-REAL" in file.read_text(encoding="utf-8")]
    assert "NOT-A-REAL" not in "".join(capsys.readouterr())
    assert results.read(folder)[0].judgement.reason.endswith("Bearer [secret]")


@pytest.mark.parametrize("url", ["nowhere", "http://127.0.0.1:9/v1"])
def test_a_judge_that_cannot_be_reached_keeps_the_answers(folder, asked, monkeypatch, url, capsys):
    monkeypatch.setattr(judges, "REPLIES", folder / "replies")
    monkeypatch.setattr("robotr1.evaluation.judging.chat.time.sleep", lambda seconds: None)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    settings = replace(SETTINGS, judge="endpoint", judge_url=url, judge_model="a-model")
    open_questions.run(folder / committed.OPEN_QUESTIONS, ["half"], settings, folder)
    rows = [row for row in results.read(folder) if row.policy == "half" and row.answer]
    assert rows and {row.judgement.status for row in rows} == {"judge_failed"}
    assert "judge_url" in rows[0].judgement.reason
    assert "answers have no score; the first:" in capsys.readouterr().out
