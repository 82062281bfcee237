"""Write, parse and score plans in RoboGPT-R1's form (arXiv 2510.14828), which EmbodiedBench's planners also use.

A completion is one JSON object with four sections; the last, `executable_plan`, lists the actions that remain as
`{"action_id": 3, "action_name": "grasp the cup"}`. An action's id is its index in the prompt's list of actions.
"""

import json
from collections.abc import Sequence
from typing import Any

SECTIONS = ("visual_state_description", "reasoning_and_reflection", "language_plan", "executable_plan")
ACTION_FIELDS = ("action_id", "action_name")


def write_plan(description: str, reasoning: str, steps: Sequence[int], actions: Sequence[str]) -> str:
    """Write a plan in the form that `parse_sections` reads; `steps` are the ids of the actions to do, in order."""
    numbered = " ".join(f"{number}. {actions[step]}" for number, step in enumerate(steps, start=1))
    listed = [dict(zip(ACTION_FIELDS, (step, actions[step]), strict=True)) for step in steps]
    return json.dumps(dict(zip(SECTIONS, (description, reasoning, numbered, listed), strict=True)))


def parse_sections(completion: str) -> dict[str, Any]:
    """Parse the one JSON object of a completion; empty where there is none, or more than one.

    Text around it, such as a greeting or a code fence, is ignored. Takes time linear in the text and raises nothing.
    """
    start, end = completion.find("{"), completion.rfind("}")
    if start < 0 or end < start:
        return {}
    try:
        sections = json.loads(completion[start : end + 1])
    except (ValueError, RecursionError):  # RecursionError: brackets nested thousands deep
        return {}
    return sections if isinstance(sections, dict) else {}


def listed_actions(sections: dict[str, Any]) -> list[Any]:
    """The entries of `executable_plan`, unchecked; empty where it is not a list."""
    entries = sections.get("executable_plan")
    return entries if isinstance(entries, list) else []


def is_action(entry: Any) -> bool:
    """Whether an entry has exactly an id (an integer) and a name (a string)."""
    if not isinstance(entry, dict) or set(entry) != set(ACTION_FIELDS):
        return False
    return type(entry["action_id"]) is int and isinstance(entry["action_name"], str)


def valid_action(entry: Any, actions: Sequence[str]) -> int | None:
    """The id of an entry whose id and name match in `actions`, else None."""
    if not is_action(entry) or not 0 <= entry["action_id"] < len(actions):
        return None
    return entry["action_id"] if actions[entry["action_id"]] == entry["action_name"] else None


def plan_format(completion: str, actions: Sequence[str]) -> float:
    """RoboGPT-R1's R_format in [0, 1]: 0.3 sections + 0.3 types + 0.4 validity.

    Sections: the share of the four (three texts and a list) that exist and are not empty. Types and validity: the
    shares of the listed entries that are an id with a name, and whose id and name match in `actions`; 0 without
    entries. The weights are the paper's. The shares are this project's choice, so that a partly right form scores
    more than none.
    """
    sections = parse_sections(completion)
    entries = listed_actions(sections)
    texts = [isinstance(sections.get(name), str) and bool(sections[name].strip()) for name in SECTIONS[:-1]]
    if not entries:
        return 0.3 * sum(texts) / len(SECTIONS)
    typed = sum(map(is_action, entries)) / len(entries)
    valid = sum(valid_action(entry, actions) is not None for entry in entries) / len(entries)
    return 0.3 * (sum(texts) + 1) / len(SECTIONS) + 0.3 * typed + 0.4 * valid


def plan_order(completion: str, answer: Sequence[int], actions: Sequence[str]) -> float:
    """RoboGPT-R1's R_lcs in [0, 1]: the longest common subsequence of the listed actions and `answer` (ids).

    It is divided by the longer of the two, so that neither missing nor extra actions pay (the paper says "normalised"
    and its code is not public). An entry that is not a valid action matches nothing.
    """
    return agreement([valid_action(entry, actions) for entry in listed_actions(parse_sections(completion))], answer)


def agreement(written: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The longest common subsequence over the length of the longer sequence; 0 where both are empty."""
    longest = max(len(written), len(wanted))
    return common_subsequence(written, wanted) / longest if longest else 0.0


def common_subsequence(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Length of the longest common subsequence, in O(len(a) len(b)) steps."""
    row = [0] * (len(b) + 1)
    for item in a:
        diagonal = 0
        for j, other in enumerate(b, start=1):
            diagonal, row[j] = row[j], diagonal + 1 if item == other else max(row[j], row[j - 1])
    return row[-1]
