"""Controls and policies are evaluated on a set of items, in Python and from the command line."""

import sys
from collections import Counter
from dataclasses import replace

import pytest

from robotr1 import paths
from robotr1.evaluation import items as committed
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
