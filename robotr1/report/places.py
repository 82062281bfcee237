"""Where does the place lie that a policy writes about the next waypoint: near that waypoint, or near the gripper?

A reward on the letter alone does not ask for the first. The arm is on its way, so the right option is often the one
nearest to it, and a place near the gripper earns the letter, too, under whatever name it is written. The rule "take
the option nearest to the gripper" is scored beside the policies: it knows the true position, which no prompt tells.
"""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from robotr1.policies.names import BLANK, CONTROLS, OPEN_FORM
from robotr1.questions.answers import parse_position, thought
from robotr1.questions.thoughts import nearest_option
from robotr1.records import Question
from robotr1.report.names import interval, label, ordered
from robotr1.report.results import Results
from robotr1.statistics import accuracy_interval

RULE = "the option nearest to the gripper"


def places_table(results: Results) -> pd.DataFrame:
    """Waypoint questions of each test split: median distances in cm, shares in percent with Wilson's interval.

    `nearer to the gripper` is the share of written places that lie nearer to the gripper than to the next waypoint.
    """
    asked = {key: question for key, question in results.questions.items() if question.type == "waypoint"}
    rows = []
    for split in results.test_splits:
        for policy in ordered(row.policy for row in results.predictions):
            if policy in CONTROLS or policy.endswith((BLANK, OPEN_FORM)):
                continue
            given = [
                row for row in results.predictions if (row.policy, row.split) == (policy, split) and row.id in asked
            ]
            written = [(parse_position(thought(row.completion)), asked[row.id]) for row in given]
            pairs = [(place, question) for place, question in written if place]
            if pairs:
                right = accuracy_interval([row.correct for row in given], results.settings.confidence)
                rows.append(
                    {"split": split, "policy": label(policy), **_distances(pairs, results), "right": interval(*right)}
                )
        chosen = [question for question in asked.values() if question.split == split]
        if chosen:
            rule = accuracy_interval(
                [nearest_option(q.options, q.state[:3]) == q.answer for q in chosen], results.settings.confidence
            )
            rows.append({"split": split, "policy": RULE, "right": interval(*rule)})
    return pd.DataFrame(rows).fillna("–")


def nearer_to_gripper(completion: str, question: Question) -> bool | None:
    """Whether the place written in the thought lies nearer to the gripper than to the next waypoint; None without."""
    place = parse_position(thought(completion))
    return math.dist(place, question.state[:3]) < math.dist(place, question.target[:3]) if place else None


def _distances(pairs: Iterable[tuple[list[float], Question]], results: Results) -> dict[str, str]:
    to_gripper, to_waypoint = np.array(
        [(math.dist(place, q.state[:3]), math.dist(place, q.target[:3])) for place, q in pairs]
    ).T
    nearer = accuracy_interval(list(to_gripper < to_waypoint), results.settings.confidence)
    return {
        "to the gripper (cm)": f"{100 * np.median(to_gripper):.1f}",
        "to the next waypoint (cm)": f"{100 * np.median(to_waypoint):.1f}",
        "nearer to the gripper": interval(*nearer),
        "places": str(len(to_gripper)),
    }
