"""Section "written positions": does a policy write the next waypoint, or a position near the gripper?

The reward looks at the letter alone. The arm is on its way, so the right option is often the one nearest to the
gripper. A policy that writes a position near the gripper therefore often chooses the right letter, too. The rule
"take the option nearest to the gripper" is scored beside the policies; it knows the true position, which no prompt
states.
"""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from robotr1.policies.names import parse_name
from robotr1.questions.answers import parse_position, thought
from robotr1.questions.thoughts import nearest_option
from robotr1.records import Question
from robotr1.report.results import Results
from robotr1.report.section import Section, Table
from robotr1.report.style.names import label, ordered
from robotr1.report.style.text import interval
from robotr1.statistics import accuracy_interval

RULE = "the option nearest to the gripper"


def written_positions_table(results: Results) -> pd.DataFrame:
    """Waypoint questions of each test split: median distances in cm, shares in percent with Wilson's interval.

    `nearer to the gripper` is the share of written positions that are nearer to the gripper than to the next waypoint.
    """
    confidence, predictions = results.settings.confidence, results.study.predictions
    asked = {key: question for key, question in results.study.questions.items() if question.type == "waypoint"}
    rows = []
    for split in results.test_splits:
        for policy in ordered(row.policy for row in predictions):
            if parse_name(policy).control or not parse_name(policy).plain:
                continue
            given = [row for row in predictions if (row.policy, row.split) == (policy, split) and row.id in asked]
            written = [(parse_position(thought(row.completion)), asked[row.id]) for row in given]
            pairs = [(position, question) for position, question in written if position]
            if pairs:
                row = {"split": split, "policy": label(policy), **_distances(pairs, confidence)}
                rows.append(row | {"right": interval(*accuracy_interval([row.correct for row in given], confidence))})
        chosen = [question for question in asked.values() if question.split == split]
        if chosen:
            right = [nearest_option(q.options, q.state[:3]) == q.answer for q in chosen]
            rows.append({"split": split, "policy": RULE, "right": interval(*accuracy_interval(right, confidence))})
    return pd.DataFrame(rows).fillna("–")


def nearer_to_gripper(completion: str, question: Question) -> bool | None:
    """Whether the position in the thought is nearer to the gripper than to the next waypoint; None without one."""
    position = parse_position(thought(completion))
    return math.dist(position, question.state[:3]) < math.dist(position, question.target[:3]) if position else None


def _distances(pairs: Iterable[tuple[list[float], Question]], confidence: float) -> dict[str, str]:
    to_gripper, to_waypoint = np.array(
        [(math.dist(position, q.state[:3]), math.dist(position, q.target[:3])) for position, q in pairs]
    ).T
    nearer = accuracy_interval(list(to_gripper < to_waypoint), confidence)
    return {
        "to the gripper (cm)": f"{100 * np.median(to_gripper):.1f}",
        "to the next waypoint (cm)": f"{100 * np.median(to_waypoint):.1f}",
        "nearer to the gripper": interval(*nearer),
        "places": str(len(to_gripper)),
    }


SECTION = Section(
    name="written-positions",
    title="Written positions",
    tables={
        "places": Table(
            "Distance of the written position from gripper and next waypoint (medians; shares in percent)",
            written_positions_table,
        )
    },
)
