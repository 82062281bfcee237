import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.answers import (
    TAGS,
    is_formatted,
    is_open_formatted,
    parse_answer,
    parse_position,
    parse_state,
    thought,
)
from robotr1.questions.prompts import LETTERS, completion_text, format_state

plain = st.text(st.characters(blacklist_characters="<>[]"), max_size=60)


@given(plain.filter(str.strip), st.sampled_from(LETTERS))
def test_a_proper_completion_is_read_back(think, letter):
    completion = completion_text(think, letter)
    assert is_formatted(completion)
    assert parse_answer(completion) == letter
    assert thought(completion) == think.strip()


@given(st.lists(st.sampled_from([*TAGS, " [[A]] ", " [[B]] ", " words ", "\n"]), max_size=12).map("".join))
def test_formatted_completions_always_have_a_letter(completion):
    letter = parse_answer(completion)
    assert letter in (None, "A", "B")
    if is_formatted(completion):
        assert letter is not None
    if completion.count("<answer>") != 1:
        assert letter is None


@pytest.mark.parametrize(
    "completion",
    [
        "<answer> [[A]] </answer>",
        "<answer>[[A]]</answer>",
        "<think> maybe [[B]] or [[C]] </think>\n<answer>\n[[A]]\n</answer>",
        "<think> x </think> <answer> [[A]] </answer> and done",
    ],
)
def test_one_letter_inside_the_answer_counts(completion):
    assert parse_answer(completion) == "A"


@pytest.mark.parametrize(
    "completion",
    [
        "",
        "[[A]]",
        "A",
        "<answer> A </answer>",
        "<answer> [A] </answer>",
        "<answer> [[a]] </answer>",
        "<answer> [[AB]] </answer>",
        "<answer> [[A]] [[B]] </answer>",
        "<answer> [[A]] [[A]] </answer>",
        "<answer> [[A]] [0.1, 0.2, 0.8] </answer>",
        "<answer> [[A]] </answer> <answer> [[B]] </answer>",
        "<answer> [[A]]",
        "[[A]] </answer>",
        "</answer> [[A]] <answer>",
        "<think> <answer> [[A]] </answer> </think>",
        "<think> <answer> [[A]] </answer> </think> <answer> [[B]] </answer>",
        "<answer> </answer>",
    ],
)
def test_anything_else_is_no_answer(completion):
    assert parse_answer(completion) is None
    assert not is_formatted(completion)


@pytest.mark.parametrize(
    "completion",
    [
        "<answer> [[A]] </answer>",
        "<think> </think> <answer> [[A]] </answer>",
        "So: <think> x </think> <answer> [[A]] </answer>",
        "<think> x </think> <answer> [[A]] </answer> done",
        "<think> x </think> then <answer> [[A]] </answer>",
        "<think> x <think> y </think> <answer> [[A]] </answer>",
        "<think> x </think> <answer> A </answer>",
    ],
)
def test_a_completion_out_of_form(completion):
    assert not is_formatted(completion)


@given(st.tuples(*[st.floats(-2, 2)] * 3), st.integers(0, 4))
def test_a_written_position_is_read_back(state, decimals):
    assert parse_state(format_state(state, decimals)) == pytest.approx(state, abs=0.5 * 10**-decimals + 1e-9)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("[0.1, -0.2, .8]", [0.1, -0.2, 0.8]),
        ("Plan: 1. x\nMove: y from [9, 9, 9]\nAnswer: [0.1, 0.2, 0.8]", [0.1, 0.2, 0.8]),
        ("<think> [9, 9, 9] </think> <answer> [0.1,0.2,0.8] </answer>", [0.1, 0.2, 0.8]),
        ("near [9, 9, 9], rather [0.1, 0.2, 0.8].", [0.1, 0.2, 0.8]),
        ("<answer> none </answer> [0.1, 0.2, 0.8]", None),
        ("[0.1, 0.2]", None),
        ("[0.1, 0.2, 0.8, 1]", None),
        ("[nan, 0.2, 0.8]", None),
        ("0.1, 0.2, 0.8", None),
        ("", None),
    ],
)
def test_open_answers(text, state):
    assert parse_state(text) == state


@pytest.mark.parametrize(
    ("text", "position", "extended"),
    [
        ("[1, 2, 3]", [1, 2, 3], None),
        ("[1, 2, 3, 4, 5, 6, 7]", [1, 2, 3], [1, 2, 3, 4, 5, 6, 7]),
        ("<answer> [1, 2, 3, 4, 5, 6, 0] </answer>", [1, 2, 3], [1, 2, 3, 4, 5, 6, 0]),
        ("[1, 2, 3, 4]", None, None),
        ("[1, 2, 3, 4, 5, 6, 7, 8]", None, None),
    ],
)
def test_positions_and_extended_states(text, position, extended):
    assert parse_position(text) == position
    assert parse_state(text, 7) == extended
    assert parse_state(text) == (position if extended is None else None)


@given(plain.filter(str.strip), st.lists(st.integers(-999, 999).map(lambda n: n / 100), min_size=7, max_size=7))
def test_open_form(think, numbers):
    for size in (3, 7):
        written = f"<think> {think} </think> <answer> {format_state(numbers[:size], 2)} </answer>"
        assert is_open_formatted(written, size) and not is_open_formatted(written, 10 - size)
        assert parse_state(written, size) == numbers[:size]
        assert not is_formatted(written) and parse_answer(written) is None


def test_thought_of_a_broken_completion_is_empty():
    assert thought("no tags") == thought("<think> never closed") == thought("</think> x <think>") == ""
