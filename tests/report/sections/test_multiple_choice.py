"""The multiple-choice section."""

from synthetic_study import results

from robotr1.report.sections.comparisons import draw_gains
from robotr1.report.sections.multiple_choice import accuracy_table, task_table


def test_the_table_marks_what_was_not_asked_and_counts_the_unparsable():
    table = accuracy_table(results(), "test_in").set_index("policy")
    assert table.loc["direct SFT, open form", "movement"] == "not asked"
    assert table.loc["direct SFT, open form", "all"].endswith("] *")
    assert int(table.loc["base", "unparsable"]) == sum(
        p.letter is None for p in results().study.predictions if (p.policy, p.split) == ("base", "test_in")
    )
    assert table.loc["best blind guess / chance", "all"].endswith("/ 25.0%")
    assert accuracy_table(results(), "train").empty


def test_supervised_policies_are_compared_in_the_open_form_only():
    (axis,) = draw_gains(results()).axes
    shown = " ".join(text.get_text() for text in axis.get_yticklabels())
    assert shown.count("direct SFT") == shown.count("direct SFT, open form") > 0


def test_tasks_have_the_blind_guess_and_the_base_first():
    table = task_table(results())
    assert list(table)[:3] == ["task", "text only, no image", "base"]
    assert table["task"].tolist() == ["pick up cup", "push button", "lamp on (never trained on)"]
