import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.forms.plans import write_plan
from robotr1.questions.prompts import completion_text, format_state
from robotr1.questions.states import state_distance
from robotr1.training.rewards import (
    REWARDS,
    accuracy_reward,
    consistency_reward,
    format_reward,
    open_format_reward,
    plan_format_reward,
    plan_order_reward,
    planning_reward,
    sequence_reward,
    state_reward,
)

LETTERS = st.sampled_from("ABCD")
COORDINATE = st.integers(-999, 1999).map(lambda thousandths: thousandths / 1000)
STATE = st.lists(COORDINATE, min_size=3, max_size=3)
STEP = st.sampled_from(["grasp the lid", "lift it", "move left", "put it down", "open the gripper"])
EXTENDED = st.tuples(STATE, st.lists(st.floats(0, 6.28), min_size=3, max_size=3), st.integers(0, 1)).map(
    lambda parts: [*parts[0], *parts[1], float(parts[2])]
)
ACTIONS = ["move above the cup", "grasp the cup", "lift the cup", "let go"]
TAGS = ["<think>", "</think>", "<answer>", "</answer>"]
PIECES = ["[[A]]", "[[B]]", "[[a]]", "A or B", "A", "[0.1, 0.2, 0.3]", "[0.1, 0.2]", "1. ", "]}", "\n"]
ANYTHING = st.text(max_size=200) | st.lists(st.sampled_from([*TAGS, *PIECES, " ", "x"])).map("".join)
PLACES = ["[0, 0, 0]", "[0.1, 0.2, 0.3]", "[1, 1, 1]", "[0.5, -0.5, 1]"]
MOVES = ["move up", "move down", "slightly move left and move up", "stay in place"]
PLAN = write_plan("The cup stands there.", "Nothing is done.", [1, 2], ACTIONS)


def message(text):
    return [{"role": "assistant", "content": text}]


@given(ANYTHING, LETTERS, STATE | EXTENDED, st.lists(STEP))
def test_anything_gets_a_reward_between_zero_and_one(text, letter, state, steps):
    shared = {"actions": [ACTIONS], "prompts": [""], "type": ["state"], "options": [PLACES]}
    for rewards, answer in (
        ((*REWARDS["mcqa"], consistency_reward), letter),
        (REWARDS["open"], state),
        ((*REWARDS["planning"], planning_reward), [0, 2]),
        ([sequence_reward], steps),
    ):
        for reward in rewards:
            (value,) = reward([text], answer=[answer], **shared)
            assert 0.0 <= value <= 1.0
            assert reward([message(text)], answer=[answer], **shared) == [value]


ADVERSARIAL = [
    "".join(parts)
    for opening in ("", "<think> it is [[A]] </think> ", "<think> [[A]]", "<think> <think> x </think> </think>")
    for before in ("<answer> ", "<answer><answer>", "", "<ANSWER>", "< answer >", "</answer><answer>")
    for body in ("[[A]] [[B]]", "A", "A or B", "[[a]]", "[[A]", "[A]", "[[AA]]", "[[ A ]]", "[[А]]", "")  # a Cyrillic А
    for after in (" </answer>", "", "</answer></answer>", " </answer> <answer> [[B]] </answer>")
    for parts in [(opening, before, body, after)]
]


def test_hundreds_of_adversarial_answers_earn_nothing():
    assert len(set(ADVERSARIAL)) > 900
    assert accuracy_reward(ADVERSARIAL, answer=["A"] * len(ADVERSARIAL)) == [0.0] * len(ADVERSARIAL)
    assert format_reward(ADVERSARIAL) == [0.0] * len(ADVERSARIAL)


@pytest.mark.parametrize("start", ["", "<think> x </think> <answer> ", '{"executable_plan": ['])
@pytest.mark.parametrize(
    "piece",
    [*TAGS, *PIECES, " ", "[", "1", "[1,", "[1,1,1", "{", "{}", "\\", '"', "<answer> [[A]] ", "a.", "- ", "[ 1 , "]
    + ['{"action_id": 1, "action_name": "grasp the cup"},'],
)
def test_a_megabyte_is_read_in_linear_time(start, piece):
    """Quadratic time would take hours here."""
    text = start + piece * (1_000_000 // len(piece))
    for reward, answer in (
        (format_reward, "A"),
        (accuracy_reward, "A"),
        (consistency_reward, "A"),
        (open_format_reward, [0.1, 0.2, 0.8]),
        (state_reward, [0.1, 0.2, 0.8]),
        (state_reward, [0.1, 0.2, 0.8, 3.1, 0.0, 3.1, 1.0]),
        (planning_reward, [1, 2]),
        (sequence_reward, ["grasp the lid", "lift it"]),
    ):
        before = time.process_time()
        (value,) = reward([text], answer=[answer], actions=[ACTIONS], type=["movement"], options=[MOVES])
        assert time.process_time() - before < 5
        assert 0.0 <= value < 1.0


@given(LETTERS, LETTERS)
def test_a_thought_that_fits_the_letter_pays(fitting, chosen):
    for kind, options, written in (
        ("state", PLACES, "The cup is at {}."),
        ("movement", MOVES, "From here to there: {}."),
    ):
        thought = written.format(options["ABCD".index(fitting)])
        completion = completion_text(thought, chosen)
        columns = {"type": [kind], "options": [options]}
        assert consistency_reward([completion], answer=["A"], **columns) == [float(fitting == chosen)]
        assert consistency_reward([message(completion)], answer=["D"], **columns) == [float(fitting == chosen)]
        assert consistency_reward([thought], answer=["A"], **columns) == [0.0]


@pytest.mark.parametrize("thought", ["so it is", "at [0.1, 0.2]", "From here to there is [0.1, 0.2, 0.3]: move up."])
def test_a_thought_without_a_place_agrees_with_nothing(thought):
    completions = [completion_text(thought, letter) for letter in "ABCD"]
    assert consistency_reward(completions, options=[PLACES] * 4, type=["waypoint"] * 4) == [0.0] * 4


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


def test_two_answers_do_not_pay():
    both = "<think> a </think> <answer> [[A]] </answer> <answer> [[B]] </answer>"
    assert accuracy_reward([both, both], answer=["A", "B"]) == [0.0, 0.0]


def test_accuracy_by_type_is_logged():
    logged = {}
    texts = [completion_text("a", letter) for letter in "AAB"]
    kinds = ["state", "waypoint", "waypoint"]
    accuracy_reward(texts, answer=["A"] * 3, type=kinds, log_metric=logged.__setitem__)
    assert logged == {"accuracy/state": 1.0, "accuracy/waypoint": 0.5}


def test_figure_13_of_the_paper():
    truth = [0.179, -0.026, 0.846]
    texts = ["<answer> [0.2, -0.1, 0.75] </answer>", "<answer> [0.275, -0.009, 0.85] </answer>"]
    assert state_reward(texts, target=[truth] * 2) == pytest.approx([1 - 0.191, 1 - 0.117])


@given(STATE, STATE)
def test_state_reward_is_one_minus_the_sum_of_differences(written, truth):
    distance = sum(abs(a - b) for a, b in zip(written, truth, strict=True))
    text = f"<think> look </think> <answer> {format_state(written, 3)} </answer>"
    assert state_reward([text], answer=[truth]) == pytest.approx([max(0.0, 1 - distance)])
    assert state_reward([text], answer=["A"], target=[truth]) == pytest.approx([max(0.0, 1 - distance)])
    assert open_format_reward([text], answer=[truth]) == [1.0]


@given(EXTENDED, EXTENDED)
def test_state_reward_of_extended_states(written, truth):
    text = f"<think> look </think> <answer> {format_state(written, 6)} </answer>"
    (value,) = state_reward([text], answer=[truth])
    assert value == pytest.approx(max(0.0, 1 - state_distance(written, truth)), abs=1e-4)
    assert open_format_reward([text, text], answer=[truth, truth[:3]]) == [1.0, 0.0]
    assert state_reward([text], answer=[truth[:3]]) == [0.0]  # seven numbers are no position


@pytest.mark.parametrize(
    "text",
    ["<think> a </think> <answer> [[A]] </answer>", "<answer> [0, 0, 0] </answer>", "<think> a </think> [0, 0, 0]"]
    + ["<think> a </think> <answer> at [0, 0, 0] </answer>", "<think> </think> <answer> [0, 0, 0] </answer>"]
    + ["<think> a </think> <answer> [0, 0, 0] [1, 1, 1] </answer>", "<think> a </think> <answer> [0, 0, 0] </answer>."],
)
def test_open_answers_out_of_form(text):
    assert open_format_reward([text], answer=[[0.0, 0.0, 0.0]]) == [0.0]


def test_a_state_in_the_thought_does_not_pay():
    texts = ["<think> <answer> [0, 0, 0] </answer> </think>", "<think> [0, 0, 0] </think> <answer> none </answer>"]
    assert state_reward(texts, answer=[[0.0, 0.0, 0.0]] * 2) == [0.0, 0.0]


def test_rewards_without_the_truth():
    for reward in (state_reward, sequence_reward):
        with pytest.raises(TypeError, match="in the column `answer`"):
            reward(["x"], type=["state"])


@pytest.mark.parametrize(
    ("text", "form", "order"),
    [(PLAN, 1.0, 1.0), (PLAN.replace("2", "3"), 0.3 + 0.3 + 0.2, 0.5), ("I would lift the cup.", 0.0, 0.0)],
)
def test_planning_reward_is_a_fifth_form_and_the_rest_order(text, form, order):
    columns = {"answer": [[1, 2]], "actions": [ACTIONS]}
    assert plan_format_reward([text], **columns) == pytest.approx([form])
    assert plan_order_reward([text], **columns) == pytest.approx([order])
    assert planning_reward([message(text)], **columns) == pytest.approx([0.2 * form + 0.8 * order])


def test_no_state_no_reward():
    assert state_reward(["<answer> [0.1, 0.2] </answer>", "", "nan"], target=[[0.0, 0.0, 0.0]] * 3) == [0.0] * 3


@given(st.lists(STEP, min_size=1, max_size=8))
def test_the_wanted_sequence_gets_one(steps):
    numbered = " ".join(f"{i}. {step}" for i, step in enumerate(steps, start=1))
    lines = "\n".join(f"{i}) {step.upper()}." for i, step in enumerate(steps, start=1))
    texts = [f"<think> x </think> <answer> {plan} </answer>" for plan in (numbered, lines)]
    assert sequence_reward(texts, sequence=[steps] * 2) == [1.0, 1.0]


@given(st.lists(STEP, min_size=1, max_size=6), st.lists(STEP, max_size=6))
def test_extra_and_missing_steps_cost(steps, extra):
    longer = "\n".join([*steps, *extra])
    (value,) = sequence_reward([longer], sequence=[steps])
    assert value == pytest.approx(len(steps) / (len(steps) + len(extra)))
    (value,) = sequence_reward(["\n".join(steps)], sequence=[[*steps, *extra]])
    assert value == pytest.approx(len(steps) / (len(steps) + len(extra)))
