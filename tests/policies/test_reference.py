import dataclasses

import numpy as np

from robotr1.policies.reference import TextOnly, majority, oracle, random_choice
from robotr1.questions.answers import is_formatted, parse_answer
from robotr1.questions.prompts import format_state


def letters(completions):
    assert all(map(is_formatted, completions))
    return [parse_answer(completion) for completion in completions]


def test_oracle_is_always_right(questions):
    assert letters(oracle(questions)) == [question.answer for question in questions]


def test_random_depends_on_seed_and_question_alone(questions):
    assert random_choice(questions, 0) == random_choice(questions[::-1], 0)[::-1]
    many = [dataclasses.replace(questions[0], id=f"{i}") for i in range(4000)]
    drawn = letters(random_choice(many, 0))
    assert drawn != letters(random_choice(many, 1))
    counts = [drawn.count(letter) for letter in "ABCD"]
    assert min(counts) > 900
    assert max(counts) < 1100


def test_majority_knows_the_habits_of_each_type(questions):
    training = [dataclasses.replace(questions[i % 3], answer="C" if i % 3 else "B") for i in range(6)]
    training += [dataclasses.replace(questions[0], answer="A")]
    assert letters(majority(questions[:3], training)) == ["B", "C", "C"]
    tied = [dataclasses.replace(questions[0], answer=letter) for letter in "DA"]
    assert letters(majority(questions[:1], tied)) == ["A"], "the first of equals, whatever the order"


def leaking(questions, count, seed):
    """State questions whose right option is always the lowest."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        points = rng.uniform([-0.2, -0.3, 0.8], [0.5, 0.3, 1.4], size=(4, 3))
        lowest = int(points[:, 2].argmin())
        options = [format_state(point, 2) for point in points]
        made.append(dataclasses.replace(questions[1], id=str(i), type="state", options=options, answer="ABCD"[lowest]))
    return made


def test_text_only_finds_a_leak(questions):
    test = leaking(questions, 100, seed=1)
    answers = letters(TextOnly().fit(leaking(questions, 200, seed=0)).complete(test))
    right = sum(letter == question.answer for letter, question in zip(answers, test, strict=True))
    assert right > 80
