"""Discrete actions: the round trip, and replies that hold a plan or do not."""

import json
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from robotr1.evaluation.eb_manipulation.actions import (
    BIN,
    DEGREES,
    HIGH,
    LARGEST,
    LOW,
    Unreadable,
    decode,
    encode,
    parse_plan,
)

ACTION = (42, 16, 29, 0, 60, 9, 1)
OTHER = [42, 16, 17, 0, 60, 9, 0]
actions = st.tuples(*[st.integers(0, 99)] * 3, *[st.integers(0, 119)] * 3, st.integers(0, 1))
angle = st.floats(-180, 180)


@given(
    st.tuples(*[st.floats(low, high) for low, high in zip(LOW, HIGH)]), st.tuples(angle, angle, angle), st.booleans()
)
def test_a_pose_survives_the_round_trip_within_half_a_bin(position, angles, is_open):
    rotation = Rotation.from_euler("xyz", angles, degrees=True)
    pose, gripper = decode(encode(np.append(position, rotation.as_quat()), float(is_open)))
    assert (np.abs(pose[:3] - position) <= BIN / 2 + 1e-9).all()
    # Three angles, each off by half a bin at most.
    away = np.degrees((Rotation.from_quat(pose[3:]) * rotation.inv()).magnitude())
    assert away <= 3 * DEGREES / 2 + 1e-6
    assert gripper == is_open


@given(actions)
def test_the_pose_of_an_action_is_encoded_as_that_action(action):
    pose, gripper = decode(action)
    again = encode(pose, gripper)
    assert (again[:3], again[6]) == (action[:3], action[6])
    same = Rotation.from_quat(decode(again)[0][3:]) * Rotation.from_quat(pose[3:]).inv()
    assert same.magnitude() < 1e-5  # other angles can describe the same rotation


def test_the_numbers_of_the_protocol():
    pose, gripper = decode((0, 99, 50, 60, 60, 90, 0))
    np.testing.assert_allclose(pose[:3], [-0.295, 0.495, 1.105])
    np.testing.assert_allclose(Rotation.from_quat(pose[3:]).as_euler("xyz", degrees=True), [0, 0, 90], atol=1e-9)
    assert gripper == 0.0
    assert encode(np.array([9, -9, 0.6, 0, 0, 0, 1.0]), 1.0)[:3] == (99, 0, 0)


@pytest.mark.parametrize(
    "plan",
    [
        [{"action": str(list(ACTION))}, {"action": str(OTHER)}],
        [{"action": list(ACTION)}, {"action": OTHER}],
        [list(ACTION), OTHER],
        str([list(ACTION), OTHER]),
        str([ACTION, tuple(OTHER)]),
        [[float(number) for number in ACTION], OTHER],
    ],
)
@pytest.mark.parametrize("form", ["{}", "```json\n{}\n```", "I think {{so}}.\n{} That is all.", "{0}\n{0}"])
def test_plans_are_read_in_every_form_that_models_generate(plan, form):
    reply = form.format(json.dumps({"language_plan": "1. go", "executable_plan": plan}))
    assert parse_plan(reply) == [ACTION, tuple(OTHER)]


def test_a_plan_under_properties_is_read_and_an_empty_one_is_a_plan():
    assert parse_plan(json.dumps({"type": "object", "properties": {"executable_plan": [OTHER]}})) == [tuple(OTHER)]
    assert parse_plan('{"executable_plan": []}') == [] == parse_plan('{"executable_plan": "[]"}')


@pytest.mark.parametrize(
    "plan",
    [
        [OTHER[:6]],
        [[*OTHER, 1]],
        [OTHER, [101, *OTHER[1:]]],
        [OTHER, [*OTHER[:5], 121, 1]],
        [[*OTHER[:6], 2]],
        [[-1, *OTHER[1:]]],
        [[4.5, *OTHER[1:]]],
        [["4", *OTHER[1:]]],
        [[True, *OTHER[1:]]],
        [{"action": OTHER, "gripper": 1}],
        [None],
        {"action": OTHER},
        "move up",
        "__import__('os')",
        OTHER,
        7,
        None,
    ],
)
def test_a_wrong_plan_is_unreadable_and_never_guessed(plan):
    assert isinstance(parse_plan(json.dumps({"executable_plan": plan})), Unreadable)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "[[A]]",
        '{"plan": []}',
        '{"executable_plan": [[1, 2, 3, 4, 5, 6, 1], [1, 2',
        '{"executable_plan": [[NaN, 1, 1, 1, 1, 1, 1]]}',
        '{"executable_plan": [[Infinity, 1, 1, 1, 1, 1, 1]]}',
        '{"executable_plan": [[1, 2, 3, 4, 5, 6, 1]]} {"executable_plan": [[1, 2, 3, 4, 5, 6, 0]]}',
        "{" * 5000,
        '{"executable_plan": "' + "[" * 3000 + '"}',
    ],
)
def test_cut_ambiguous_and_hostile_replies_are_unreadable(reply):
    found = parse_plan(reply)
    assert isinstance(found, Unreadable) and found.reason


def plan(text):
    return f'{{"executable_plan": {text}}}'


HOSTILE = {
    "set of lists": plan('"{{[10, 20, 30, 0, 60, 90, 1]}}"'),
    "set of dicts": plan('"{{1:2}:3}"'),
    "list as key": plan('"{[1]:2}"'),
    "dict as key": plan('"{{}:2}"'),
    "difference of sets": plan('"{1,2}-{1}"'),
    "a call": plan('"action(1)"'),
    "a name": plan('"{action}"'),
    "complex number": plan('"[1-2]"'),
    "integer beyond floats": plan("[[" + "6" * 400 + ", 20, 30, 0, 60, 90, 1]]"),
    "negative integer beyond floats": plan("[[-" + "6" * 400 + ", 20, 30, 0, 60, 90, 1]]"),
    "integer as a string": plan('["[' + "6" * 400 + ', 20, 30, 0, 60, 90, 1]"]'),
    "integer beyond Python's limit": plan("[[" + "6" * 5000 + ", 20, 30, 0, 60, 90, 1]]"),
    "the same as a string": plan('"[[' + "6" * 5000 + ', 20, 30, 0, 60, 90, 1]]"'),
    "infinite float": plan("[[1e400, 1, 1, 1, 1, 1, 1]]"),
    "minus infinity": plan("[[-Infinity, 1, 1, 1, 1, 1, 1]]"),
    "minus signs": plan('"' + "-" * 15_000 + '1"'),
    "open parentheses": plan('"' + "(" * 9000 + '"'),
    "sets in sets": plan('"' + "{" * 9000 + "}" * 9000 + '"'),
    "lists in lists": plan('"' + "[1," * 6000 + '"'),
    "dots": plan('"' + "." * 15_000 + '"'),
    "commas": plan('"[' + "," * 15_000 + ']"'),
    "null byte": plan('"\\u0000"'),
    "lone surrogate": plan('"\\ud800"'),
    "braces": "{" * 20_000,
    "open objects": '{"a":' * 4000,
    "open objects and a plan": '{"a":' * 3500 + plan("[[1]]"),
    "open objects and numbers": '{"a":' * 900 + "[" + "1," * 7000 + plan("[[1]]"),
    "open plans": '{"executable_plan":' * 1000,
    "nested plans": '{"executable_plan":' * 900 + "[]" + "}" * 900,
    "nested lists, twice": plan("[" * 900 + "]" * 900) * 2,
    "quotes": '{"' * 10_000,
    "two keys": '{"executable_plan": [], "executable_plan": [[1, 1, 1, 1, 1, 1, 1]]}',
    "two actions": plan('[{"action": [1, 1, 1, 1, 1, 1, 1], "action": [1, 1, 1, 1, 1, 1, 0]}]'),
    "properties in properties": '{"properties": {"properties": {"executable_plan": []}}}',
}


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE)
def test_hostile_replies_are_unreadable_in_bounded_time_and_memory(reply):
    tracemalloc.start()
    start = time.process_time()
    found = parse_plan(reply)
    seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, Unreadable) and found.reason
    assert seconds < 10 and peak < 20e6  # tracemalloc makes it slow; without, it takes less than a second


def is_readable_or_refused(reply):
    found = parse_plan(reply)
    return isinstance(found, Unreadable) or all(
        len(action) == 7 and all(type(number) is int and 0 <= number <= most for number, most in zip(action, LARGEST))
        for action in found
    )


literals = st.recursive(
    st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from(["action", "a"]), inner, max_size=2),
    max_leaves=20,
)


@given(
    st.text(max_size=200)
    | st.text(alphabet="0123456789.,:[](){}\"'action- \\", max_size=200)
    | st.lists(st.sampled_from([*"[](){},:-.0123456789'", "action", "[1,1,1,1,1,1,1]", "{{", "}}"]), max_size=60).map(
        "".join
    )
)
def test_any_text_is_a_plan_in_range_or_unreadable(text):
    for reply in (text, json.dumps({"executable_plan": text}), '{"executable_plan": ' + text, plan(text)):
        assert is_readable_or_refused(reply)


@given(literals)
def test_any_json_is_a_plan_in_range_or_unreadable(value):
    for reply in (json.dumps({"executable_plan": value}), json.dumps({"executable_plan": str(value)})):
        assert is_readable_or_refused(reply)


@given(st.lists(actions, max_size=15), st.text(max_size=50).filter(lambda text: "{" not in text), st.booleans())
def test_a_plan_after_any_text_is_read(steps, text, written_out):
    value = str([list(action) for action in steps]) if written_out else [{"action": list(action)} for action in steps]
    assert parse_plan(text + json.dumps({"executable_plan": value})) == steps
