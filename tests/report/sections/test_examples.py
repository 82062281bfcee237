"""The questions drawn for the examples."""

import dataclasses

from synthetic_study import SETTINGS, questions, results

from robotr1.report.sections.examples import draw_questions, examples


def test_examples_cover_the_types_and_depend_on_the_seed_only():
    chosen = draw_questions(results())
    assert [one.type for one in chosen] == ["waypoint", "state", "movement"]
    assert chosen == draw_questions(results())
    assert all(one.split != "validation" for one in chosen)


def test_more_examples_than_questions_give_every_test_question_once():
    many = dataclasses.replace(results(), settings=dataclasses.replace(SETTINGS, examples=1000))
    chosen = [one.id for one in draw_questions(many)]
    assert len(chosen) == len(set(chosen)) == sum(one.split != "validation" for one in questions())


def test_base_and_trained_policy_answer_each_example():
    assert {tuple(example.predictions) for example in examples(results())} == {("base", "grpo-seed0")}
