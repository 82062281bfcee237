"""The command line of the EB-Manipulation protocol."""

import pandas as pd
import pytest
import speaking_policy
from line_scene import Line

from robotr1 import paths
from robotr1.evaluation.eb_manipulation import __main__ as command
from robotr1.evaluation.eb_manipulation import results, run


@pytest.fixture
def policy(monkeypatch):
    """A policy in models/, and invented scenes."""
    base, _ = speaking_policy.shared()
    monkeypatch.setattr(paths, "MODELS", base.parent)
    monkeypatch.setattr(run, "embodied_scenes", lambda task, n, seed, size: (Line(task, one) for one in range(n)))
    monkeypatch.setattr(run, "MAX_STEPS", 2)
    return base.name


def test_controls_and_policies_run_and_a_second_run_resumes(policy, tmp_path, capsys):
    arguments = ["--episodes", "1", "--shots", "0", "--max-completion-length", "2", "--output", str(tmp_path)]
    assert command.main([*arguments, "--tasks", "pick_up_cup", "--policy", policy]) == 0
    table = pd.read_csv(tmp_path / "summary.csv")
    shown = capsys.readouterr().out
    assert set(table["policy"]) == {"oracle", "random", policy} == {one.policy for one in results.read(tmp_path)}
    assert all(name in shown for name in table["policy"])
    before = (tmp_path / policy / results.FILE).read_bytes()
    assert command.main([*arguments, "--tasks", "pick_up_cup", "stack_blocks", "--policy", policy]) == 0
    assert (tmp_path / policy / results.FILE).read_bytes().startswith(before)


def test_a_failed_control_a_missing_policy_and_another_run_are_messages(policy, tmp_path, capsys, monkeypatch):
    arguments = ["--episodes", "1", "--tasks", "pick_up_cup", "--output", str(tmp_path)]
    assert command.main([*arguments, "--policy", "nobody"]) == 1
    assert "nobody: no such policy folder" in capsys.readouterr().err
    assert command.main([*arguments, "--seed", "1"]) == 1
    assert "has episodes of another run" in capsys.readouterr().err
    monkeypatch.setattr(Line, "success", lambda self: False)
    assert command.main([*arguments, "--output", str(tmp_path / "other")]) == 1
    assert "the oracle fails 5 of 5 items" in capsys.readouterr().err


def test_the_tasks_are_those_of_the_protocol(capsys):
    with pytest.raises(SystemExit):
        command.main(["--tasks", "juggle"])
    assert "pick_up_cup" in capsys.readouterr().err
