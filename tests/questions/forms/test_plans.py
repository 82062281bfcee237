import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.forms.plans import (
    SECTIONS,
    common_subsequence,
    listed_actions,
    parse_sections,
    plan_format,
    plan_order,
    write_plan,
)

ACTIONS = ["move above the cup", "grasp the cup", "lift the cup", "let go"]
IDS = st.lists(st.integers(0, 3), max_size=7)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


def completion(entries, **sections):
    return json.dumps(dict.fromkeys(SECTIONS[:-1], "words") | {"executable_plan": entries} | sections)


def entry(id, name):
    return {"action_id": id, "action_name": name}


def longest_by_trying(a, b):
    """The longest common subsequence by trying every choice of places in `a`, without the recurrence."""
    for length in range(min(len(a), len(b)), 0, -1):
        for places in combinations(range(len(a)), length):
            rest = iter(b)
            if all(any(item == other for other in rest) for item in (a[place] for place in places)):
                return length
    return 0


@given(IDS, IDS)
def test_common_subsequence_against_brute_force(a, b):
    assert common_subsequence(a, b) == common_subsequence(b, a) == longest_by_trying(a, b)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_a_written_plan_is_right(steps):
    text = write_plan("The cup stands.", "Nothing is done.", steps, ACTIONS)
    for wrapped in (text, f"Here is my plan:\n```json\n{text}\n```\nDone."):
        assert plan_format(wrapped, ACTIONS) == pytest.approx(1.0)
        assert plan_order(wrapped, steps, ACTIONS) == 1.0
    assert set(json.loads(text)) == set(SECTIONS)


@given(IDS, st.lists(st.integers(0, 3), min_size=1, max_size=7))
def test_order_is_the_subsequence_over_the_longer(written, answer):
    text = completion([entry(step, ACTIONS[step]) for step in written])
    expected = longest_by_trying(written, answer) / max(len(written), len(answer))
    assert plan_order(text, answer, ACTIONS) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("entries", "form", "order"),
    [
        ([entry(0, "move above the cup"), entry(1, "grasp the cup")], 1.0, 1.0),
        ([entry(0, "move above the cup"), entry(1, "lift the cup")], 0.3 + 0.3 + 0.2, 0.5),  # id and name disagree
        ([entry(0, "move above the cup"), entry(9, "fly")], 0.3 + 0.3 + 0.2, 0.5),
        ([entry(0, "move above the cup"), entry(-3, "grasp the cup")], 0.3 + 0.3 + 0.2, 0.5),
        ([entry(0, "move above the cup"), entry("1", "grasp the cup")], 0.3 + 0.15 + 0.2, 0.5),  # id as text
        ([entry(0, "move above the cup"), entry(True, "grasp the cup")], 0.3 + 0.15 + 0.2, 0.5),
        ([entry(0, "move above the cup"), {"action_id": 1}], 0.3 + 0.15 + 0.2, 0.5),
        ([entry(0, "move above the cup"), entry(1, "grasp the cup") | {"why": ""}], 0.3 + 0.15 + 0.2, 0.5),
        (["move above the cup", "grasp the cup"], 0.3, 0.0),
        ([], 0.3 * 3 / 4, 0.0),
        ("0 1", 0.3 * 3 / 4, 0.0),
        ({"0": entry(0, "move above the cup")}, 0.3 * 3 / 4, 0.0),
    ],
)
def test_half_right_plans(entries, form, order):
    text = completion(entries)
    assert plan_format(text, ACTIONS) == pytest.approx(form)
    assert plan_order(text, [0, 1], ACTIONS) == pytest.approx(order)


@pytest.mark.parametrize("missing", SECTIONS)
def test_every_section_counts_a_quarter(missing):
    sections = json.loads(completion([entry(0, ACTIONS[0])]))
    rest = 0.7 if missing != "executable_plan" else 0.0
    without = {name: value for name, value in sections.items() if name != missing}
    for spoiled in (without, sections | {missing: ""}, sections | {missing: 3}):
        assert plan_format(json.dumps(spoiled), ACTIONS) == pytest.approx(rest + 0.3 * 3 / 4)


def test_listing_all_actions_is_no_shortcut():
    everything = completion([entry(step, name) for step, name in enumerate(ACTIONS)] * 10)
    assert plan_order(everything, [1, 2], ACTIONS) == pytest.approx(2 / 40)


@given(JSON | st.fixed_dictionaries({"executable_plan": JSON}), st.text(max_size=5), st.text(max_size=5))
def test_any_json_gets_a_score(value, before, after):
    text = before + json.dumps(value) + after
    assert 0 <= plan_format(text, ACTIONS) <= 1
    assert 0 <= plan_order(text, [0, 1], ACTIONS) <= 1


@pytest.mark.parametrize(
    "text",
    ["", "}{", "{", "[1, 2]", '{"a": }', "{} {}", "null", '{"executable_plan": ' + "[" * 100_000, "{" * 100_000 + "}"]
    + ['{"a": ' + "1" * 10_000 + "}", '{"executable_plan": NaN}x{}'],
)
def test_other_text_has_no_sections(text):
    assert parse_sections(text) == {}
    assert listed_actions(parse_sections(text)) == []
    assert plan_format(text, ACTIONS) == plan_order(text, [0], ACTIONS) == 0
