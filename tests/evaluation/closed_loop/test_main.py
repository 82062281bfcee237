"""The command line of the closed loop."""

import pytest
import speaking_policy
import synthetic_study

from robotr1 import paths
from robotr1.evaluation.closed_loop import __main__ as command
from robotr1.evaluation.closed_loop import results
from robotr1.evaluation.closed_loop.forms import MultipleChoiceForm
from robotr1.records import RecordError
from robotr1.settings import load_settings

ONE = ["--tasks", "push_button", "--episodes", "1", "--image-size", "56"]


@pytest.fixture
def study(monkeypatch):
    """Invented questions, and one policy in models/."""
    form = MultipleChoiceForm([], load_settings()["build_questions"])
    drafts = synthetic_study.questions(episodes=8, splits={"train": ["push_button"]})
    questions = [form.question(draft, []) for draft in drafts if draft.type == "waypoint"]
    monkeypatch.setattr(command, "read_questions", lambda splits: questions)
    monkeypatch.setattr(command, "read_scenes", lambda questions: {})
    base, _ = speaking_policy.shared()
    monkeypatch.setattr(paths, "MODELS", base.parent)
    return base.name


@pytest.mark.usefixtures("simulator")
def test_controls_and_policies_run_on_the_same_placements(study, tmp_path, capsys):
    assert command.main([*ONE, "--policy", study, "--output", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    traces = {trace.policy: trace for trace in results.read(tmp_path)}
    assert set(traces) == {"oracle", "random", "text_only", study}
    assert all(policy in shown for policy in traces) and traces["oracle"].success
    assert len({tuple(trace.steps[0].target) for trace in traces.values()}) == 1


@pytest.mark.usefixtures("simulator")
def test_the_open_form_has_no_text_only_agent(study, capsys):
    assert command.main([*ONE, "--form", "open"]) == 0
    assert "text_only" not in capsys.readouterr().out


def test_an_unknown_task_or_policy_and_missing_questions_are_messages(study, monkeypatch, capsys):
    assert command.main(["--tasks", "juggle", "--episodes", "1"]) == 1
    assert "unknown task 'juggle'" in capsys.readouterr().err

    def missing(splits):
        raise RecordError("data/questions/train.jsonl is missing")

    monkeypatch.setattr(command, "read_questions", missing)
    assert command.main(ONE) == 1
    assert "data/questions/train.jsonl is missing" in capsys.readouterr().err
