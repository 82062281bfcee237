import pytest

from robotr1.questions.forms.plans import write_plan
from robotr1.training.rewards import plan_format_reward, plan_order_reward

ACTIONS = ["move above the cup", "grasp the cup", "lift the cup", "let go"]
PLAN = write_plan("The cup stands there.", "Nothing is done.", [1, 2], ACTIONS)


@pytest.mark.parametrize(
    ("text", "form", "order"),
    [(PLAN, 1.0, 1.0), (PLAN.replace("2", "3"), 0.3 + 0.3 + 0.2, 0.5), ("I would lift the cup.", 0.0, 0.0)],
)
def test_form_and_order_of_a_plan(text, form, order):
    columns = {"answer": [[1, 2]], "actions": [ACTIONS]}
    assert plan_format_reward([text], **columns) == pytest.approx([form])
    assert plan_order_reward([text], **columns) == pytest.approx([order])
