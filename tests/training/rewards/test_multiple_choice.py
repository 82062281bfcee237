import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.prompts import completion_text
from robotr1.training.rewards import accuracy_reward, consistency_reward, format_reward

LETTERS = st.sampled_from("ABCD")
POSITIONS = ["[0, 0, 0]", "[0.1, 0.2, 0.3]", "[1, 1, 1]", "[0.5, -0.5, 1]"]
MOVEMENTS = ["move up", "move down", "slightly move left and move up", "stay in place"]
ADVERSARIAL = [
    "".join(parts)
    for opening in ("", "<think> it is [[A]] </think> ", "<think> [[A]]", "<think> <think> x </think> </think>")
    for before in ("<answer> ", "<answer><answer>", "", "<ANSWER>", "< answer >", "</answer><answer>")
    for body in ("[[A]] [[B]]", "A", "A or B", "[[a]]", "[[A]", "[A]", "[[AA]]", "[[ A ]]", "[[А]]", "")  # a Cyrillic А
    for after in (" </answer>", "", "</answer></answer>", " </answer> <answer> [[B]] </answer>")
    for parts in [(opening, before, body, after)]
]


def test_hundreds_of_adversarial_answers_get_nothing():
    assert len(set(ADVERSARIAL)) > 900
    assert accuracy_reward(ADVERSARIAL, answer=["A"] * len(ADVERSARIAL)) == [0.0] * len(ADVERSARIAL)
    assert format_reward(ADVERSARIAL) == [0.0] * len(ADVERSARIAL)


@given(LETTERS, LETTERS)
def test_a_thought_that_fits_the_letter_is_rewarded(fitting, chosen):
    for kind, options, written in (
        ("state", POSITIONS, "The cup is at {}."),
        ("movement", MOVEMENTS, "From here to there: {}."),
    ):
        thought = written.format(options["ABCD".index(fitting)])
        completion = completion_text(thought, chosen)
        columns = {"type": [kind], "options": [options]}
        assert consistency_reward([completion], answer=["A"], **columns) == [float(fitting == chosen)]
        assert consistency_reward([[{"role": "assistant", "content": completion}]], answer=["D"], **columns) == [
            float(fitting == chosen)
        ]
        assert consistency_reward([thought], answer=["A"], **columns) == [0.0]


@pytest.mark.parametrize("thought", ["so it is", "at [0.1, 0.2]", "From here to there is [0.1, 0.2, 0.3]: move up."])
def test_a_thought_without_a_position_agrees_with_nothing(thought):
    completions = [completion_text(thought, letter) for letter in "ABCD"]
    assert consistency_reward(completions, options=[POSITIONS] * 4, type=["waypoint"] * 4) == [0.0] * 4


@given(LETTERS, LETTERS)
def test_right_letter_in_the_right_form(written, truth):
    completion = completion_text("so it is", written)
    assert format_reward([completion]) == [1.0]
    assert accuracy_reward([completion], answer=[truth]) == [float(written == truth)]


@pytest.mark.parametrize(
    "text",
    [
        "<answer> [[A]] </answer>",  # no thought
        "<think> a </think> [[A]]",
        "<think> a </think> <answer> A </answer>",
        "<think> a </think> <answer> [[A]] [[B]] </answer>",
        "<think> a </think> <answer> [[A]] </answer> and more",
        "<think> a </think> <answer> [[A]] </answer> <answer> [[A]] </answer>",
    ],
)
def test_nearly_right_forms_get_nothing(text):
    assert format_reward([text]) == [0.0]


def test_two_answers_get_nothing():
    both = "<think> a </think> <answer> [[A]] </answer> <answer> [[B]] </answer>"
    assert accuracy_reward([both, both], answer=["A", "B"]) == [0.0, 0.0]


def test_accuracy_by_type_is_logged():
    logged = {}
    texts = [completion_text("a", letter) for letter in "AAB"]
    kinds = ["state", "waypoint", "waypoint"]
    accuracy_reward(texts, answer=["A"] * 3, type=kinds, log_metric=logged.__setitem__)
    assert logged == {"accuracy/state": 1.0, "accuracy/waypoint": 0.5}
