"""Every parser of untrusted text returns a result or its documented refusal, in bounded time and memory."""

import json
import math
import re
import time
import tracemalloc

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
from robotr1.questions.forms.plans import SECTIONS, listed_actions, parse_sections, plan_format, plan_order
from robotr1.questions.movement import LABELS, parse_movement
from robotr1.questions.prompts import LETTERS
from robotr1.questions.states import state_distance
from robotr1.questions.thoughts import letters_written, without_displacements

POSITIONS = ["[0.1, 0.2, 0.8]", "[0, 0, 1]", "[0.3, 0.1, 1]", "[0.2, -0.2, 0.9]"]
MOVEMENTS = ["move up", "move down", "slightly move left and move up", "stay in place"]
ACTIONS = ["move above the cup", "grasp the cup", "lift the cup"]
PIECES = [
    *TAGS, "[[A]]", "[[", "]]", "[", "]", ",", ".", "-", "+", "1", "0.5", "1e400", "9" * 400, "Answer:", ":",
    "is [1, 2, 3]:", "move ", "slightly ", "up", " and ", "; ", "open the gripper", "{", "}", '"', "\\",
    '"executable_plan":', "action_id", "null", "\x00", "\r\n", "\u2028", "\u0085", "\ud800", "\ufeff",
    "{{", "}}", "NaN", "-Infinity", " ",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=30).map("".join)
SURROGATES = st.text(st.characters(codec=None), max_size=40)
PARSERS = {
    "parse_answer": parse_answer,
    "is_formatted": is_formatted,
    "is_open_formatted": is_open_formatted,
    "extended form": lambda text: is_open_formatted(text, 7),
    "thought": thought,
    "parse_state": parse_state,
    "extended state": lambda text: parse_state(text, 7),
    "parse_position": parse_position,
    "parse_movement": parse_movement,
    "without_displacements": without_displacements,
    "letters of positions": lambda text: letters_written("waypoint", POSITIONS, text),
    "letters of movements": lambda text: letters_written("movement", MOVEMENTS, text),
    "parse_sections": parse_sections,
    "plan_format": lambda text: plan_format(text, ACTIONS),
    "plan_order": lambda text: plan_order(text, [0, 1, 2], ACTIONS),
}


def check_results(text):
    assert parse_answer(text) in (None, *map(chr, range(65, 91)))
    assert not (is_formatted(text) and is_open_formatted(text))
    assert "<think>" not in thought(text) or text.count("<think>") > 1
    for size in (3, 7):
        state = parse_state(text, size)
        assert state is None or (len(state) == size and all(map(math.isfinite, state)))
        if state is not None:
            assert math.isfinite(state_distance(state, [0.0] * size))
    assert parse_position(text) is None or len(parse_position(text)) == 3
    assert parse_movement(text) is None or parse_movement(text) in LABELS
    assert letters_written("waypoint", POSITIONS, text) in (None, *LETTERS[:4])
    assert set(letters_written("movement", MOVEMENTS, text) or "") <= set(LETTERS[:4])
    assert isinstance(listed_actions(parse_sections(text)), list)
    assert 0 <= plan_format(text, ACTIONS) <= 1 and 0 <= plan_order(text, [0, 1, 2], ACTIONS) <= 1


@given(HOSTILE | SURROGATES)
def test_a_result_or_the_documented_refusal(text):
    check_results(text)


NUMBERS = st.integers(-(10**40), 10**40) | st.floats() | st.booleans() | st.none() | st.text(max_size=3)
ENTRIES = st.lists(st.fixed_dictionaries({"action_id": NUMBERS, "action_name": st.sampled_from(ACTIONS) | NUMBERS}))


@given(ENTRIES | st.lists(NUMBERS) | NUMBERS, st.dictionaries(st.sampled_from(SECTIONS), NUMBERS))
def test_plans_with_any_values_get_a_score(entries, sections):
    check_results(json.dumps(sections | {"executable_plan": entries}))


@pytest.mark.parametrize(
    "text", ['{"executable_plan": ' + "9" * 5000 + "}", "{{1}}", "{" * 50_000 + "}" * 50_000, "[" * 10**5]
)
def test_plans_that_json_cannot_read_have_no_sections(text):
    """Integers beyond Python's limit, double braces from templates, and nesting beyond its stack."""
    assert parse_sections(text) == {}
    assert plan_format(text, ACTIONS) == plan_order(text, [0], ACTIONS) == 0


REPEATED = [
    "[1, 2, ", "[-", "[1234567890", "<think> [1, 2, 3] ", "[ 1 ,  ", "move up and ", "slightly move up, ",
    '{"action_id": 1, "action_name": "x"}, ', '{"a": ', "is [1, 2,",
]  # fmt: skip


@pytest.mark.parametrize("parser", PARSERS)
def test_a_megabyte_takes_linear_time(parser):
    """Quadratic time would be 1e12 steps, many minutes."""
    for piece in (*PIECES, *REPEATED):
        text = piece * (1_000_000 // len(piece))
        before = time.process_time()
        PARSERS[parser](text)
        assert time.process_time() - before < 5, piece


@pytest.mark.parametrize("parser", PARSERS)
def test_memory_stays_within_a_few_copies_of_the_text(parser):
    texts = ["[1, 2, 3] " * 100_000, "move up and " * 80_000, '{"executable_plan": [' + "1, " * 300_000 + "1]}"]
    tracemalloc.start()
    for text in texts:
        PARSERS[parser](text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20


def test_a_long_plan_takes_bounded_time():
    """The longest common subsequence is quadratic: entries beyond those that can count must not cost anything."""
    entries = [{"action_id": i % 3, "action_name": ACTIONS[i % 3]} for i in range(20_000)]
    before = time.process_time()
    assert plan_order(json.dumps({"executable_plan": entries}), [0, 1, 2], ACTIONS) < 0.001
    assert time.process_time() - before < 5


def test_no_pattern_of_the_parsers_repeats_a_repetition():
    """Nested quantifiers are how regular expressions backtrack exponentially."""
    from robotr1.questions import answers, movement, thoughts
    from robotr1.questions.answers import _state_pattern

    patterns = [value for module in (answers, movement, thoughts) for value in vars(module).values()]
    patterns = [value for value in patterns if isinstance(value, re.Pattern)] + [_state_pattern(3), _state_pattern(7)]
    assert len(patterns) >= 5
    for pattern in patterns:
        assert not re.search(r"[+*}]\)[+*{]", pattern.pattern), pattern.pattern
