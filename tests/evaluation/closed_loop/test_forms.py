"""The forms of the closed loop's questions."""

from dataclasses import replace

from point_environment import points
from small_settings import WAYPOINTS as SETTINGS

from robotr1.evaluation.closed_loop.agents import Agent
from robotr1.evaluation.closed_loop.forms import MultipleChoiceForm
from robotr1.evaluation.closed_loop.run import run_environments
from robotr1.questions.prompts import LETTERS, completion_text, format_state
from robotr1.records import Question


def test_a_distractor_is_executed_as_printed_and_the_right_option_as_the_scripts():
    asked = []

    def first(questions):
        asked.extend(questions)
        return [completion_text("Why not.", "A") for _ in questions]

    traces = run_environments(points(40), Agent("first", MultipleChoiceForm([], SETTINGS), first))
    steps = {(t.episode, number): step for t in traces for number, step in enumerate(t.steps)}
    assert {question.answer for question in asked} == set(LETTERS[:4])
    for question in asked:
        step = steps[question.episode, question.frame]
        assert question.options[0] in question.prompt
        assert step.right == (question.answer == "A")
        if step.right:
            assert step.answer == step.target == question.target
        else:
            assert format_state(step.answer, 2) == question.options[0]


def test_distractors_come_from_the_training_questions():
    places = [[0.1, -0.3, 1.0], [0.2, 0.3, 1.1], [0.4, 0.0, 1.2], [0.05, 0.2, 0.9]]
    draft = Question("", "train", "waypoint", "points", 0, 0, 0, 0, "", "", [0, 0, 0], [], [], "A", "")
    known = [replace(draft, episode=number, target=place) for number, place in enumerate(places)]
    elsewhere = replace(draft, split="test_in", target=[0.33, 0.33, 1.33])
    asked = []

    def complete(questions):
        asked.extend(questions)
        return [""] * len(questions)

    form = MultipleChoiceForm([*known, elsewhere], replace(SETTINGS, distractors="other_episodes"))
    run_environments(points(10), Agent("asks", form, complete))
    allowed = {format_state(place, 2) for place in places}
    for question in asked:
        truth = question.options[LETTERS.index(question.answer)]
        assert truth == format_state(question.target, 2)
        assert set(question.options) - {truth} <= allowed
    assert len({tuple(question.options) for question in asked}) > 10  # a step that is asked again gets new ones
